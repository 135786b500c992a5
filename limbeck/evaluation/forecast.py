"""From short runs to long ones: errors as power laws, with intervals for a later measurement.

The error of a network falls about as a power of the training rows (Hestness et al. 2017,
arXiv:1712.00409), until it saturates. So from the nearest pair that was run to what is asked for
the logarithms of both errors are continued along straight lines, and the gain is the difference of
the errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student_t

from limbeck.core.measured import Measured

__all__ = ["Forecast", "PairScores", "Place", "forecast"]

_DRAWS = 400
_AXES = ("rows", "training")
_SAME = 0.01  # doublings that count as none: shares of rows are rounded
_TESTS = 3
Floats = NDArray[np.float64]


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

    def errors(self, weights: Floats) -> Floats:
        """One less the mean score, of student and control and each seed, shape (2, s, b).

        Parameters
        ----------
        weights : ndarray of shape (m, b)
            How much each row counts, in b draws; each column adds up to one.
        """
        both = np.stack([self.student, self.control])
        least = 0.5 / both.shape[2]  # no error among m rows
        return np.asarray(np.maximum(1 - both @ weights, least))


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
    seed: int = 0,
) -> Forecast:
    """What a pair trained as much as ``target`` will score.

    From the nearest pair the logarithm of each error is continued along the slopes of the pairs
    that differ from it in rows alone, and in training alone (least squares; each pair half the
    weight of the next nearer one). The interval adds up the variances of

    * rows and seeds of the pairs: the rows are resampled, and errors of seeds drawn with the
      covariance that seeds have (a bootstrap, parametric in the seeds), 400 times;
    * seeds and rows of the later run;
    * the law itself, for rows and for training: the mean square of what it missed where each of the
      three nearest pairs was forecast from the further ones (two or more), times the square of
      the doublings; where there are no such pairs, all that the law changes counts as missed.

    The quantile is that of Student's t, with the degrees of freedom of such a sum of variances
    (Satterthwaite 1946).

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
        Pairs of another student, of which the nearest is continued along the slopes of ``pairs``.
    bounded : bool
        Whether errors are at most 1, as shares are.
    seed : int
        Of the bootstrap.
    """
    rng = np.random.default_rng(seed)
    law = _Law.drawn([*pairs, *start], rng, bounded)
    own, other = range(len(pairs)), range(len(pairs), len(pairs) + len(start))
    anchor = min(other or own, key=lambda i: law.places[i].distance(target))
    errors = law.continued(anchor, target, own)  # (2, b); the first without noise
    values = _three(1 - errors)  # (3, b)
    noise = values[:, 1:].var(axis=1, ddof=1) + _later(law, anchor, errors[:, 0], seeds)
    variances, free = [noise], [law.free]
    for which in _AXES:
        steps = getattr(target, which) - getattr(law.places[anchor], which)
        if abs(steps) > _SAME:
            missed, n = law.missed(which, own, anchor, target)
            variances.append(missed * steps**2)
            free.append(n)
    half = _quantile(np.array(variances), np.array(free), delta) * np.sum(variances, axis=0) ** 0.5
    found = [Measured(float(v), float(v - h), float(v + h))
             for v, h in zip(values[:, 0], half, strict=True)]  # fmt: skip
    if bounded:
        found[:2] = [replace(m, low=max(m.low, 0.0), high=min(m.high, 1.0)) for m in found[:2]]
    return Forecast(found[0], found[1], found[2], float(law.places[anchor].distance(target)))


@dataclass(frozen=True, eq=False)
class _Law:
    """Logarithms of the errors of all pairs, without noise and in draws.

    Parameters
    ----------
    places : list of Place
        Of the c pairs.
    logs : ndarray of shape (2, c, b)
        Of student and control; the first of the b is what was measured.
    covariance : ndarray of shape (2, 2)
        Of a seed's logarithms of both errors.
    rows : ndarray of shape (3, c)
        Variances of the mean scores, and of the gain, over rows drawn anew.
    free : int
        Degrees of freedom of the covariance.
    cap : float
        The largest error.
    """

    places: list[Place]
    logs: Floats
    covariance: Floats
    rows: Floats
    free: int
    cap: float

    @classmethod
    def drawn(cls, pairs: Sequence[PairScores], rng: Any, bounded: bool) -> _Law:
        m = pairs[0].student.shape[1]
        weights = np.column_stack([np.full(m, 1 / m), rng.multinomial(m, np.full(m, 1 / m),
                                                                      _DRAWS).T / m])  # fmt: skip
        logs, away, rows = [], [], []
        for pair in pairs:
            own = np.log(pair.errors(weights))  # (2, s, b)
            away.append(own[:, :, 0] - own[:, :, :1].mean(axis=1))
            logs.append(np.log(np.exp(own).mean(axis=1)))
            means = np.stack([pair.student.mean(0), pair.control.mean(0)])
            three = np.stack([*means, means[0] - means[1]])
            rows.append(three.var(axis=1, ddof=1) / m)
        free = sum(p.seeds - 1 for p in pairs)
        covariance = sum(a @ a.T for a in away) / max(free, 1)
        found = np.stack(logs, axis=1)  # (2, c, b)
        root = _root(np.asarray(covariance))
        for i, pair in enumerate(pairs):
            found[:, i, 1:] += root @ rng.normal(size=(2, _DRAWS)) / pair.seeds**0.5
        cap = 1.0 if bounded else float(np.exp(found.max()))
        return cls([p.place for p in pairs], found, np.asarray(covariance), np.array(rows).T, free,
                   cap)  # fmt: skip

    def axis(self, anchor: int, which: str, own: Sequence[int]) -> list[int]:
        """Pairs that differ from the anchor in rows alone, or training alone: nearest first."""
        other = "training" if which == "rows" else "rows"
        at = self.places[anchor]
        alike = [i for i in own if abs(getattr(self.places[i], other) - getattr(at, other)) < _SAME]
        below = [i for i in alike if getattr(self.places[i], which) <= getattr(at, which) + _SAME]
        return sorted(below, key=lambda i: -getattr(self.places[i], which))

    def slopes(self, points: Sequence[int], which: str) -> Floats:
        """Slopes (2, b) of the log errors per doubling; 0 where there is one pair."""
        x = np.array([getattr(self.places[i], which) for i in points])
        if np.ptp(x) < _SAME:
            return np.zeros_like(self.logs[:, 0])
        w = 0.5 ** np.arange(len(x))
        x = x - (w * x).sum() / w.sum()
        found: Floats = np.einsum("c,mcb->mb", w * x, self.logs[:, points]) / (w * x * x).sum()
        return found

    def continued(self, anchor: int, target: Place, own: Sequence[int]) -> Floats:
        """Errors (2, b) at the target."""
        at, logs = self.places[anchor], self.logs[:, anchor].copy()
        near = anchor if anchor in own else min(own, key=lambda i: self.places[i].distance(at))
        for which in _AXES:
            steps = getattr(target, which) - getattr(at, which)
            if abs(steps) > _SAME:
                logs += steps * self.slopes(self.axis(near, which, own), which)
        return np.minimum(np.exp(logs), self.cap)

    def missed(
        self, which: str, own: Sequence[int], anchor: int, target: Place
    ) -> tuple[Floats, int]:
        """Mean squares (3,) of what the law missed per doubling of an axis, over how many tests.

        Of both scores, and of the gain.
        """
        line = max((self.axis(i, which, own) for i in own), key=len)
        found = []
        for k in range(min(_TESTS, len(line) - 2)):
            pair, further = line[k], line[k + 1 :]
            steps = getattr(self.places[pair], which) - getattr(self.places[further[0]], which)
            told = self.logs[:, further[0], 0] + steps * self.slopes(further, which)[:, 0]
            off = np.exp(self.logs[:, pair, 0]) - np.minimum(np.exp(told), self.cap)
            found.append(_three(off[:, None])[:, 0] / steps)
        if found:
            return np.asarray((np.array(found) ** 2).mean(axis=0)), len(found)
        here, there = self.logs[:, anchor, 0], self.continued(anchor, target, own)[:, 0]
        changed = _three((np.exp(here) - there)[:, None])[:, 0]
        return np.asarray((changed / self.places[anchor].distance(target)) ** 2), 1


def _three(scores: Floats) -> Floats:
    """Student, control and gain (3, b) from the scores of both (2, b)."""
    return np.stack([scores[0], scores[1], scores[0] - scores[1]])


def _quantile(variances: Floats, free: NDArray[np.int64], delta: float) -> Floats:
    """Student's t for sums over the rows of variances (v, 3), of which each has its freedom.

    NaN where a part has none at all.
    """
    if not free.all():
        return np.full(3, np.nan)
    total = variances.sum(axis=0)
    parts = (variances**2 / free[:, None]).sum(axis=0)
    degrees = np.maximum(total**2 / np.maximum(parts, 1e-300), 1.0)
    return np.asarray(student_t.ppf(1 - delta / 2, degrees))


def _later(law: _Law, anchor: int, errors: Floats, seeds: int) -> Floats:
    """Variances (3,) of what the later run measures: its own seeds, and as many rows."""
    spread = law.covariance * np.outer(errors, errors) / seeds
    gain = spread[0, 0] + spread[1, 1] - 2 * spread[0, 1]
    found: Floats = np.array([spread[0, 0], spread[1, 1], gain]) + law.rows[:, anchor]
    return found


def _root(covariance: Floats) -> Floats:
    values, vectors = np.linalg.eigh(covariance)
    found: Floats = vectors * np.sqrt(np.maximum(values, 0.0))
    return found
