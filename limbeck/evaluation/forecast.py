"""From short runs to long ones: errors as power laws, with intervals for a later measurement.

The error of a network falls about as a power of the training rows (Hestness et al. 2017,
arXiv:1712.00409), so its logarithm along a line in doublings of rows and of training. What a
student's error is to its control's is less lawful: a student may be behind early and ahead late. So
the mean of both logarithms follows a line, and their difference wanders. Both are Gaussian
processes over doublings (Rasmussen and Williams 2006), whose constants were chosen on
six problems by ``benchmarks/advise.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.measured import Measured

__all__ = ["Forecast", "PairScores", "Place", "blind", "forecast"]

Floats = NDArray[np.float64]

_DRAWS = 4000
_SAME = 0.01  # doublings that count as none: shares of rows are rounded
_ORIGIN = 12.0  # doublings below the whole at which the walks begin, beyond any pilot
_JITTER = 1e-6
_LARGEST = 20.0  # logarithm of an error; more comes of one degree of freedom alone
_BLIND = 0.9  # of a constant's error: above it a network has learned nothing that could be seen
_BOTH = np.array([[0.5, 0.5], [1.0, -1.0]])  # logs of student and control -> mean, difference


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
class _Prior:
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
        """Of the curve at places (n, 3): doublings of rows and training, 1 for a larger student."""
        place, larger = x[:, :2], x[:, 2]
        lines = self.slope**2 * place @ place.T
        walks = np.minimum(place[:, None], place[None]) + _ORIGIN
        apart = self.larger**2 * np.outer(larger, larger)
        return np.asarray(self.level**2 + lines + (strays * self.walk) ** 2 * walks.sum(-1) + apart)


_STRAYS = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Times the usual that curves of a problem may stray; the pilot says how likely each is."""
_USUAL = (0.25, 0.35, 0.2, 0.12, 0.08)
"""How likely each is before."""
_MEAN = _Prior(slopes=(-0.27, -0.29), level=5.0, slope=0.1, walk=0.06, larger=0.13)
_DIFFERENCE = _Prior(slopes=(0.0, -0.05), level=1.0, slope=0.0, walk=0.08, larger=0.05)


@dataclass(frozen=True, eq=False)
class PairScores:
    """Students and controls of some seeds on the same m rows.

    Parameters
    ----------
    place : Place
        How much they were trained.
    student, control : ndarray of shape (s, m)
        A score for each seed and row, whose mean is at most 1, such as 1 for a right answer.
    """

    place: Place
    student: Floats
    control: Floats

    @property
    def seeds(self) -> int:
        """Number of training seeds."""
        return len(self.student)

    def errors(self) -> Floats:
        """One less the mean score, of student and control and each seed, shape (2, s)."""
        both = np.stack([self.student, self.control])
        least = 0.5 / both.shape[2]  # no error among m rows
        return np.asarray(np.maximum(1 - both.mean(axis=2), least))

    def row_variances(self) -> Floats:
        """Variances (3,) of the means of student, control and gain over rows drawn anew.

        As if there were two rows more, of which one is wrong: of few rows on which nobody errs the
        plain variance would be zero (Agresti and Min 2005 add such rows for matched pairs).
        """
        means = np.stack([self.student.mean(0), self.control.mean(0)])
        three = np.stack([*means, means[0] - means[1]])
        m = three.shape[1]
        return np.asarray((m * three.var(axis=1) + 1) / (m + 2) / m)


@dataclass(frozen=True)
class Forecast:
    """What a later run will measure, as means over its seeds, with prediction intervals.

    Parameters
    ----------
    student, control, gain : Measured
        Mean scores, and the student's less the control's; NaN ends where nothing is known.
    doublings : float
        How far it lies from the nearest pair that was run; 0 means that this was measured.
    """

    student: Measured
    control: Measured
    gain: Measured
    doublings: float


def forecast(
    pairs: Sequence[PairScores],
    target: Place,
    *,
    delta: float = 0.1,
    seeds: int = 3,
    start: Sequence[PairScores] = (),
    bounded: bool = True,
    constant: float | None = None,
    seed: int = 0,
) -> Forecast:
    """What a pair trained as much as ``target`` will score.

    The mean of the logarithms of both errors has a line in doublings of rows and of training, and
    strays from it; their difference strays from its height, with a drift towards the student. Both
    are inferred from all pairs together, and so is how far they stray, which therefore lend each
    other precision, also where a pair was run itself. The interval adds up the variances of

    * these curves, given the pairs and what seeds differ by (a covariance of both, pooled);
    * the later run's own seeds;
    * rows: those that the pilot measured on, and as many of the later run.

    With few seeds it is wider, as Student's t is. Networks that have not learned yet, and answer
    nearly as well as a constant, err alike whatever teaches them: such pairs say nothing about how
    far curves will stray.

    Parameters
    ----------
    pairs : sequence of PairScores
        At least one.
    target : Place
        What is asked for.
    delta : float
        One less the level of each interval.
    seeds : int
        Number of seeds of the later run.
    start : sequence of PairScores, optional
        Pairs of another student, of which the forecast then is.
    bounded : bool
        Whether errors are at most 1, as shares are.
    constant : float, optional
        The error of the best constant answer.
    seed : int
        Of the draws that the quantiles are taken of.
    """
    shown = list(start) or list(pairs)
    near = min(shown, key=lambda p: p.place.distance(target))
    every = [*pairs, *start]
    larger = [0.0] * len(pairs) + [1.0] * len(start) + [float(bool(start))]
    places = [*(p.place for p in every), target]
    x = np.array([(p.rows, p.training, k) for p, k in zip(places, larger, strict=True)])
    logs = np.array([np.log(p.errors().mean(axis=1)) for p in every])  # (c, 2)
    between, free = _between_seeds(every)
    seen = logs @ _BOTH.T, _BOTH @ between @ _BOTH.T, np.array([p.seeds for p in every])
    learned = ~np.array([blind(p, constant) for p in every])
    told = [_inferred(x, *seen, learned, strays) for strays in _STRAYS]
    weights = _weights(np.array([evidence for *_, evidence in told]))
    middle = weights @ np.stack([mean for mean, *_ in told])
    found = _scores(middle[:, None], bounded)[:, 0]
    apart = near.place.distance(target)
    doublings = 0.0 if apart < _SAME else float(apart)
    if not free:
        return _forecast(found, np.full((2, 3), np.nan), doublings)
    rng = np.random.default_rng(seed)
    heavy = np.sqrt(free / rng.chisquare(free, _DRAWS))
    which = rng.choice(len(told), size=_DRAWS, p=weights)
    curves = np.empty((2, _DRAWS))
    for k, (mean, spread, _) in enumerate(told):
        mine = which == k
        root = _root(spread + seen[1] / seeds)
        away = root @ rng.normal(size=(2, int(mine.sum()))) * heavy[mine]
        curves[:, mine] = mean[:, None] + away
    drawn = _scores(curves, bounded)
    drawn += np.sqrt(2 * near.row_variances())[:, None] * rng.normal(size=(3, _DRAWS))
    ends = np.quantile(drawn, [delta / 2, 1 - delta / 2], axis=1)
    if bounded:
        ends[:, :2] = ends[:, :2].clip(0.0, 1.0)
    return _forecast(found, ends, doublings)


def blind(pair: PairScores, constant: float | None) -> bool:
    """Whether student and control have not learned yet: they err nearly as a constant answer does.

    Parameters
    ----------
    pair : PairScores
        Of one cell.
    constant : float or None
        The error of the best constant answer; None where there is none.
    """
    if constant is None:
        return False
    middle = float(np.exp(np.log(pair.errors().mean(axis=1)).mean()))
    return middle >= _BLIND * constant


def _forecast(values: Floats, ends: Floats, doublings: float) -> Forecast:
    """Values (3,) of student, control and gain with their ends (2, 3)."""
    student, control, gain = (
        Measured(float(v), float(low), float(high))
        for v, low, high in zip(values, *ends, strict=True)
    )
    return Forecast(student, control, gain, doublings)


def _between_seeds(pairs: Sequence[PairScores]) -> tuple[Floats, int]:
    """Covariance (2, 2) of a seed's logarithms of both errors, and its degrees of freedom."""
    logs = [np.log(p.errors()) for p in pairs]
    away = [each - each.mean(axis=1, keepdims=True) for each in logs]
    free = sum(p.seeds - 1 for p in pairs)
    return np.asarray(sum(a @ a.T for a in away) / max(free, 1)), free


def _weights(evidence: Floats) -> Floats:
    """How likely each of `_STRAYS` is, from the logarithms of the likelihoods."""
    found = np.array(_USUAL) * np.exp(evidence - evidence.max())
    return np.asarray(found / found.sum())


def _inferred(
    x: Floats, known: Floats, between: Floats, seeds: Any, learned: Any, strays: float
) -> tuple[Floats, Floats, float]:
    """Mean (2,) and covariance (2, 2) of both curves at the last place, and the log likelihood.

    Parameters
    ----------
    x : ndarray of shape (c + 1, 3)
        Places of the c pairs, and of the target.
    known : ndarray of shape (c, 2)
        Mean of the logarithms, and their difference.
    between : ndarray of shape (2, 2)
        Of a seed, of both.
    seeds : ndarray of shape (c,)
        Number of seeds.
    learned : ndarray of shape (c,)
        Which pairs the likelihood is of; fewer than two say nothing.
    strays : float
        Times the usual that the curves stray.
    """
    n = len(x)
    mean = np.concatenate([_MEAN.mean(x), _DIFFERENCE.mean(x)])
    prior = np.zeros((2 * n, 2 * n))
    prior[:n, :n] = _MEAN.covariance(x, strays)
    prior[n:, n:] = _DIFFERENCE.covariance(x, strays)
    noise = np.kron(between, np.diag(1 / seeds)) + _JITTER * np.eye(2 * (n - 1))
    there = np.r_[0 : n - 1, n : 2 * n - 1]
    new = [n - 1, 2 * n - 1]
    cross = prior[np.ix_(there, new)]
    whole = prior[np.ix_(there, there)] + noise
    weights = np.linalg.solve(whole, cross)
    off = known.T.ravel() - mean[there]
    own = np.flatnonzero(np.tile(learned, 2)) if learned.sum() > 1 else np.arange(0)
    part = whole[np.ix_(own, own)]
    evidence = -0.5 * (off[own] @ np.linalg.solve(part, off[own]) + np.linalg.slogdet(part)[1])
    middle = mean[new] + weights.T @ off
    return middle, prior[np.ix_(new, new)] - weights.T @ cross, float(evidence)


def _scores(curves: Floats, bounded: bool) -> Floats:
    """Student, control and gain (3, b) from the mean of the logarithms and their difference."""
    logs = np.stack([curves[0] + curves[1] / 2, curves[0] - curves[1] / 2])
    errors = np.exp(np.minimum(logs, _LARGEST))
    student, control = 1 - (np.minimum(errors, 1.0) if bounded else errors)
    return np.stack([student, control, student - control])


def _root(covariance: Floats) -> Floats:
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))
