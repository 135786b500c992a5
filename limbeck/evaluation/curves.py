"""Learning curves: errors as power laws of rows and of training, from which they stray.

The error of a network falls about as a power of the training rows (Hestness et al. 2017,
arXiv:1712.00409), so its logarithm along a line in doublings of rows and of training. It is a
Gaussian process over doublings (Rasmussen and Williams 2006): a line with a random walk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.measured import Measured

__all__ = [
    "DRAWS", "ERROR", "STRAYS", "Place", "Prior", "between_seeds", "continued", "inferred",
    "log_errors", "root", "row_variance", "weights_of",
]  # fmt: skip

Floats = NDArray[np.float64]

DRAWS = 4000
_ORIGIN = 12.0  # doublings below the whole at which the walks begin, beyond any pilot
_JITTER = 1e-6
_SEED, _WORTH = 0.16, 3  # usual deviation of a seed's logarithm in pilots, and what it counts for


@dataclass(frozen=True)
class Place:
    """How much a pair was trained, in doublings of the whole: 0 is all, -1 half of it, 1 twice.

    Parameters
    ----------
    rows, training : float
        log2 of the share of the training rows, and of the updates that so many rows get.
    """

    rows: float = 0.0
    training: float = 0.0

    def distance(self, other: Place) -> float:
        """Doublings from one to the other, added up."""
        return abs(self.rows - other.rows) + abs(self.training - other.training)


@dataclass(frozen=True)
class Prior:
    """What is known of a curve before the pilot, natural logarithms per doubling.

    Parameters
    ----------
    slopes : pair of float
        Mean change per doubling of rows, and of training.
    level, slope : float
        Standard deviations of its height, and of both slopes.
    walk : float
        Standard deviation of what it strays from its line within a doubling (a random walk).
    larger : float
        Standard deviation of what a student of another size is apart, everywhere alike.
    """

    slopes: tuple[float, float]
    level: float
    slope: float
    walk: float
    larger: float

    def mean(self, x: Floats) -> Floats:
        """Of the curve at places (n, 3), up to its height."""
        return np.asarray(x[:, :2] @ np.array(self.slopes))

    def covariance(self, x: Floats, strays: float) -> Floats:
        """Of the curve at n places, shape (n, n).

        Parameters
        ----------
        x : ndarray of shape (n, 3)
            Doublings of rows and of training, and 1 for a larger student.
        strays : float
            Times the usual that it strays.
        """
        place, larger = x[:, :2], x[:, 2]
        lines = self.slope**2 * place @ place.T
        walks = np.minimum(place[:, None], place[None]) + _ORIGIN
        apart = self.larger**2 * np.outer(larger, larger)
        return np.asarray(self.level**2 + lines + (strays * self.walk) ** 2 * walks.sum(-1) + apart)


STRAYS = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Times the usual that curves of a problem may stray; the pilot says how likely each is."""
_USUAL = (0.25, 0.35, 0.2, 0.12, 0.08)
"""How likely each is before."""
ERROR = Prior(slopes=(-0.27, -0.29), level=5.0, slope=0.1, walk=0.06, larger=0.13)
"""Of errors, per doubling of rows and of training; chosen on the problems of the backtest."""


def log_errors(scores: Floats) -> Floats:
    """Logarithms (s,) of one less the mean score of each seed, from scores (s, m)."""
    least = 0.5 / scores.shape[1]  # no error among m rows
    return np.asarray(np.log(np.maximum(1 - scores.mean(axis=1), least)))


def row_variance(scores: Floats) -> Floats:
    """Variance of the mean of scores (..., m) over rows drawn anew.

    As if there were two rows more, of which one is wrong: of few rows on which nobody errs the
    plain variance would be zero (Agresti and Min 2005 add such rows for matched pairs).
    """
    m = scores.shape[-1]
    return np.asarray((m * scores.var(axis=-1) + 1) / (m + 2) / m)


def continued(
    places: Sequence[Place],
    scores: Sequence[Floats],
    target: Place,
    *,
    delta: float = 0.1,
    seeds: int = 1,
    seed: int = 0,
) -> Measured:
    """What a later run at ``target`` will score on the same rows: one curve, continued.

    The prediction interval adds up the curve's doubt and the later run's own seeds. What seeds
    differ by is averaged with what they do in the pilots of the backtest, which counts for three
    degrees of freedom, since a run has few seeds.

    Parameters
    ----------
    places : sequence of c Place
        How much was trained.
    scores : sequence of c ndarray of shape (s, m)
        A score for each seed and row, at most 1.
    target : Place
        What is asked for.
    delta : float
        One less the level of the interval.
    seeds : int
        Of the later run.
    seed : int
        Of the draws that the quantiles are taken of.
    """
    x = np.array([(p.rows, p.training, 0.0) for p in (*places, target)])
    each = [log_errors(s) for s in scores]
    logs = np.array([[np.log(np.exp(e).mean())] for e in each])
    apart, seen = between_seeds([e[None] for e in each])
    free = seen + _WORTH
    between = (seen * apart + _WORTH * _SEED**2) / free
    every = np.ones(len(each), dtype=bool)
    counts = np.array([len(e) for e in each])
    told = [inferred(x, logs, between, counts, every, strays, (ERROR,)) for strays in STRAYS]
    weights = weights_of(np.array([evidence for *_, evidence in told]))
    rng = np.random.default_rng(seed)
    which = rng.choice(len(told), size=DRAWS, p=weights)
    heavy = np.sqrt(free / rng.chisquare(free, DRAWS))
    middles = np.array([mean[0] for mean, *_ in told])
    spreads = np.array([float(spread[0, 0] + between[0, 0] / seeds) for _, spread, _ in told])
    curve = middles[which] + np.sqrt(spreads[which]) * heavy * rng.normal(size=DRAWS)
    low, high = np.quantile(1 - np.exp(np.minimum(curve, 0.0)), [delta / 2, 1 - delta / 2])
    return Measured(float(1 - min(np.exp(weights @ middles), 1.0)), float(low), float(high))


def between_seeds(logs: Sequence[Floats]) -> tuple[Floats, int]:
    """Covariance (q, q) of a seed's q logarithms of errors, and its degrees of freedom.

    Parameters
    ----------
    logs : sequence of ndarray of shape (q, s)
        Of each cell, of its s seeds.
    """
    away = [each - each.mean(axis=1, keepdims=True) for each in logs]
    free = sum(each.shape[1] - 1 for each in logs)
    return np.asarray(sum(a @ a.T for a in away) / max(free, 1)), free


def weights_of(evidence: Floats) -> Floats:
    """How likely each of `STRAYS` is, from the logarithms of the likelihoods."""
    found = np.array(_USUAL) * np.exp(evidence - evidence.max())
    return np.asarray(found / found.sum())


def inferred(
    x: Floats,
    known: Floats,
    between: Floats,
    seeds: Any,
    learned: Any,
    strays: float,
    priors: Sequence[Prior],
) -> tuple[Floats, Floats, float]:
    """Mean (q,) and covariance (q, q) of q curves at the last place, and the log likelihood.

    Parameters
    ----------
    x : ndarray of shape (c + 1, 3)
        Places of the c pairs, and of the target.
    known : ndarray of shape (c, q)
        The curves at these places.
    between : ndarray of shape (q, q)
        Covariance of a seed.
    seeds : ndarray of shape (c,)
        Number of seeds.
    learned : ndarray of shape (c,)
        Which pairs the likelihood is of; fewer than two say nothing.
    strays : float
        Times the usual that the curves stray.
    priors : sequence of q Prior
        Of each curve.
    """
    n, q = len(x), len(priors)
    mean = np.concatenate([p.mean(x) for p in priors])
    prior = np.zeros((q * n, q * n))
    for k, p in enumerate(priors):
        own = slice(k * n, (k + 1) * n)
        prior[own, own] = p.covariance(x, strays)
    noise = np.kron(between, np.diag(1 / seeds)) + _JITTER * np.eye(q * (n - 1))
    there = np.concatenate([np.arange(n - 1) + k * n for k in range(q)])
    new = np.arange(1, q + 1) * n - 1
    cross = prior[np.ix_(there, new)]
    whole = prior[np.ix_(there, there)] + noise
    weights = np.linalg.solve(whole, cross)
    off = known.T.ravel() - mean[there]
    learnt = np.flatnonzero(np.tile(learned, q)) if learned.sum() > 1 else np.arange(0)
    part = whole[np.ix_(learnt, learnt)]
    evidence = -0.5 * (
        off[learnt] @ np.linalg.solve(part, off[learnt]) + np.linalg.slogdet(part)[1]
    )
    middle = mean[new] + weights.T @ off
    return middle, prior[np.ix_(new, new)] - weights.T @ cross, float(evidence)


def root(covariance: Floats) -> Floats:
    """A square root of a covariance, which may be singular."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))
