"""From short runs to long ones: errors as power laws, with intervals for a later measurement.

Errors follow `limbeck.evaluation.curves`. What a student's error is to its control's is less
lawful: a student may be behind early and ahead late. So the mean of both logarithms follows a line,
and their difference wanders. The constants were chosen on six problems by
``benchmarks/advise.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from limbeck.core.measured import Measured
from limbeck.evaluation.curves import (
    DRAWS,
    ERROR,
    STRAYS,
    Place,
    Prior,
    between_seeds,
    inferred,
    log_errors,
    root,
    row_variance,
    weights_of,
)

__all__ = ["Forecast", "PairScores", "Place", "blind", "forecast"]

Floats = NDArray[np.float64]

_SAME = 0.01  # doublings that count as none: shares of rows are rounded
_LARGEST = 20.0  # logarithm of an error; more comes of one degree of freedom alone
_BLIND = 0.9  # of a constant's error: above it a network has learned nothing that could be seen
_BOTH = np.array([[0.5, 0.5], [1.0, -1.0]])  # logs of student and control -> mean, difference


_DIFFERENCE = Prior(slopes=(0.0, -0.05), level=1.0, slope=0.0, walk=0.08, larger=0.05)
_PRIORS = (ERROR, _DIFFERENCE)


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
        return np.exp(np.stack([log_errors(self.student), log_errors(self.control)]))

    def row_variances(self) -> Floats:
        """Variances (3,) of the means of student, control and gain; see `row_variance`."""
        means = np.stack([self.student.mean(0), self.control.mean(0)])
        return row_variance(np.stack([*means, means[0] - means[1]]))


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
    between, free = between_seeds([np.log(p.errors()) for p in every])
    seen = logs @ _BOTH.T, _BOTH @ between @ _BOTH.T, np.array([p.seeds for p in every])
    learned = ~np.array([blind(p, constant) for p in every])
    told = [inferred(x, *seen, learned, strays, _PRIORS) for strays in STRAYS]
    weights = weights_of(np.array([evidence for *_, evidence in told]))
    middle = weights @ np.stack([mean for mean, *_ in told])
    found = _scores(middle[:, None], bounded)[:, 0]
    apart = near.place.distance(target)
    doublings = 0.0 if apart < _SAME else float(apart)
    if not free:
        return _forecast(found, np.full((2, 3), np.nan), doublings)
    rng = np.random.default_rng(seed)
    heavy = np.sqrt(free / rng.chisquare(free, DRAWS))
    which = rng.choice(len(told), size=DRAWS, p=weights)
    curves = np.empty((2, DRAWS))
    for k, (mean, spread, _) in enumerate(told):
        mine = which == k
        half = root(spread + seen[1] / seeds)
        away = half @ rng.normal(size=(2, int(mine.sum()))) * heavy[mine]
        curves[:, mine] = mean[:, None] + away
    drawn = _scores(curves, bounded)
    drawn += np.sqrt(2 * near.row_variances())[:, None] * rng.normal(size=(3, DRAWS))
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


def _scores(curves: Floats, bounded: bool) -> Floats:
    """Student, control and gain (3, b) from the mean of the logarithms and their difference."""
    logs = np.stack([curves[0] + curves[1] / 2, curves[0] - curves[1] / 2])
    errors = np.exp(np.minimum(logs, _LARGEST))
    student, control = 1 - (np.minimum(errors, 1.0) if bounded else errors)
    return np.stack([student, control, student - control])
