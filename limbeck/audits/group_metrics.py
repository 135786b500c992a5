"""What fairness audits report by group: rates of decisions and errors, AUC, calibration curves.

A decision is made of the score by a threshold that the auditor names: whoever has at least so
much is *selected*. Shapes: n rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import norm, rankdata

from limbeck.audits.results import Estimate
from limbeck.certificates.binomial import interval

__all__ = ["CalibrationCurve", "GroupMetrics", "auc", "group_metrics", "impact_ratio"]

FEWEST = 30
"""Groups with fewer rows get no numbers."""
_BINS = 5

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class CalibrationCurve:
    """The outcome's rate by the score, within one group: an entry a bin of the score."""

    score: tuple[float, ...]
    rate: tuple[Estimate, ...]
    rows: tuple[int, ...]


@dataclass(frozen=True)
class GroupMetrics:
    """One group's rates, each with an interval; all intervals of a grouping hold at once.

    Parameters
    ----------
    name : str
        The group.
    rows : int
        Its rows.
    selection_rate : Estimate or None
        The share with a score of at least the threshold; None without a threshold.
    impact_ratio : Estimate or None
        The selection rate over that of the group with the highest one (US Uniform Guidelines on
        Employee Selection Procedures 1978, section 4D: the four-fifths rule).
    false_positive_rate, false_negative_rate : Estimate or None
        Of those without the outcome the share that is selected; of those with it the share that
        is not. None without threshold or outcome, or where there are none of these.
    positive_predictive_value, negative_predictive_value : Estimate or None
        Of those selected the share with the outcome; of the others the share without it.
    auc : Estimate or None
        The probability that of two people, one with the outcome and one without, the first has
        the higher score; ties count half.
    calibration : CalibrationCurve or None
        The outcome's rate by the score.
    """

    name: str
    rows: int
    selection_rate: Estimate | None = None
    impact_ratio: Estimate | None = None
    false_positive_rate: Estimate | None = None
    false_negative_rate: Estimate | None = None
    positive_predictive_value: Estimate | None = None
    negative_predictive_value: Estimate | None = None
    auc: Estimate | None = None
    calibration: CalibrationCurve | None = None


@dataclass(frozen=True, eq=False)
class _Group:
    """The rows of one group: w (n,) are weights, size the independent people a row is worth."""

    name: str
    score: Vector
    outcome: Vector | None
    weight: Vector
    worth: float

    def share(self, of: NDArray[np.bool_], within: NDArray[np.bool_], level: float) -> Estimate:
        """The share of rows ``within`` that are also in ``of``; exact binomial ends."""
        total = float(self.weight[within].sum())
        size = max(round(total * self.worth), 1)
        value = float(self.weight[within & of].sum()) / total
        low, high = interval(min(round(value * size), size), size, 1 - level)
        return Estimate(value, min(low, value), max(high, value), level)


def group_metrics(
    score: Vector,
    outcome: Vector | None,
    groups: Sequence[object] | NDArray[np.object_],
    *,
    threshold: float | None = None,
    weight: Vector | None = None,
    worth: float = 1.0,
    level: float = 0.95,
) -> tuple[GroupMetrics, ...]:
    """Rates by group.

    Parameters
    ----------
    score : ndarray of shape (n,)
        The score.
    outcome : ndarray of shape (n,), optional
        0 or 1.
    groups : sequence of length n
        The group of each row.
    threshold : float, optional
        Scores of at least this are selected. Without it only AUC and calibration are given.
    weight : ndarray of shape (n,), optional
        Weights of the rows; 1 each by default.
    worth : float
        How many independent people a unit of weight is worth (Kish's effective sample size over
        the sum of weights, 1965, section 8.2); 1 where weights count people.
    level : float
        At which all intervals of one column hold together, over the groups.

    Returns
    -------
    tuple of GroupMetrics
        In the order of the groups' names.

    Notes
    -----
    Shares have Clopper and Pearson's exact intervals. That of a ratio is the quotient of the
    ends of two intervals at half the error each, so it is cautious, and exact where counts are
    zero. AUC has Newcombe's interval (2006, part 2, method 5), which also serves at 0 and 1.
    """
    labels = np.asarray([str(g) for g in groups])
    w = np.ones(len(score)) if weight is None else np.asarray(weight, dtype=np.float64)
    names, counts = np.unique(labels, return_counts=True)
    enough = int((counts >= FEWEST).sum())
    each = 1 - (1 - level) / max(enough, 1)
    edges = _edges(score, w)
    rows = {name: labels == name for name in names}
    held = {
        name: _Group(name, score[at], None if outcome is None else outcome[at], w[at], worth)
        for name, at in rows.items()
        if at.sum() >= FEWEST
    }
    best = _highest(held, threshold)
    return tuple(
        _of_group(held[name], held.get(best), threshold, edges, each)
        if name in held
        else GroupMetrics(str(name), int(at.sum()))
        for name, at in rows.items()
    )


def impact_ratio(group: Estimate, best: Estimate, value: float, level: float) -> Estimate:
    """A selection rate over the highest one, with the quotient of the ends of both intervals.

    Parameters
    ----------
    group, best : Estimate
        Both rates, each at ``1 - (1 - level) / 2``.
    value : float
        The ratio.
    level : float
        Of the ratio's interval.
    """
    low = group.low / best.high if best.high > 0 else 0.0
    high = group.high / best.low if best.low > 0 else float("inf")
    return Estimate(value, low, high, level)


def auc(score: Vector, outcome: Vector, weight: Vector, worth: float, level: float) -> Estimate:
    """The area under the ROC curve, with Newcombe's interval.

    Parameters
    ----------
    score, outcome, weight : ndarray of shape (n,)
        Scores, 0 or 1, and weights.
    worth : float
        Independent people a unit of weight is worth.
    level : float
        Of the interval.

    Returns
    -------
    Estimate
        Ties count half. The interval solves |A - t| = z s(t), where s(t) is Hanley and McNeil's
        standard error with both sample sizes in it replaced by their mean (Newcombe 2006,
        Statistics in Medicine 25, 559-573, method 5).
    """
    hit = outcome == 1
    m, n = float(weight[hit].sum()) * worth, float(weight[~hit].sum()) * worth
    value = _area(score, hit, weight)
    z = float(norm.ppf((1 + level) / 2))
    mean = (m + n) / 2

    def error(t: float) -> float:
        more = (mean - 1) * ((1 - t) / (2 - t) + t / (1 + t))
        return float(np.sqrt(t * (1 - t) * (1 + more) / (m * n)))

    # a hair inside, since at 0 and 1 the error is 0 and the value itself another solution
    inside = (value * (1 - 1e-9), value + (1 - value) * 1e-9)
    low = brentq(lambda t: value - t - z * error(t), 0.0, inside[0]) if value > 0 else 0.0
    high = brentq(lambda t: t - value - z * error(t), inside[1], 1.0) if value < 1 else 1.0
    return Estimate(value, float(low), float(high), level)


def _of_group(
    g: _Group, best: _Group | None, threshold: float | None, edges: Vector, level: float
) -> GroupMetrics:
    every = np.ones(len(g.score), dtype=bool)
    found: dict[str, Any] = {}
    selected = every if threshold is None else g.score >= threshold
    if threshold is not None:
        found["selection_rate"] = g.share(selected, every, level)
        if best is not None:
            half = 1 - (1 - level) / 2
            top = best.score >= threshold
            one = g.share(selected, every, half)
            other = best.share(top, np.ones(len(top), dtype=bool), half)
            if other.value > 0 and g is not best:
                found["impact_ratio"] = impact_ratio(one, other, one.value / other.value, level)
    if g.outcome is None:
        return GroupMetrics(g.name, len(g.score), **found)
    hit = g.outcome == 1
    if threshold is not None:
        for name, of, within in (
            ("false_positive_rate", selected, ~hit),
            ("false_negative_rate", ~selected, hit),
            ("positive_predictive_value", hit, selected),
            ("negative_predictive_value", ~hit, ~selected),
        ):
            found[name] = g.share(of, within, level) if g.weight[within].sum() > 0 else None
    if min(g.weight[hit].sum(), g.weight[~hit].sum()) > 0:
        found["auc"] = auc(g.score, g.outcome, g.weight, g.worth, level)
    curve = _calibration(g, edges, hit, level)
    return GroupMetrics(g.name, len(g.score), **found, calibration=curve)


def _calibration(
    g: _Group, edges: Vector, hit: NDArray[np.bool_], level: float
) -> CalibrationCurve | None:
    """Rates in bins of the score that all groups share; bins without rows are left out."""
    bins = [b for b in range(len(edges) + 1) if (np.digitize(g.score, edges) == b).any()]
    if not bins:
        return None
    share = 1 - (1 - level) / len(bins)
    at = np.digitize(g.score, edges)
    here = [at == b for b in bins]
    return CalibrationCurve(
        tuple(float(np.average(g.score[i], weights=g.weight[i])) for i in here),
        tuple(g.share(hit, i, share) for i in here),
        tuple(int(i.sum()) for i in here),
    )


def _edges(score: Vector, weight: Vector) -> Vector:
    """Up to 12 different scores stand alone, more are cut into fifths of all rows."""
    values, at = np.unique(score, return_inverse=True)
    if len(values) <= 12:
        return np.asarray((values[1:] + values[:-1]) / 2)
    mass = np.cumsum(np.bincount(at, weight))
    cuts = np.searchsorted(mass, np.arange(1, _BINS) / _BINS * mass[-1])
    return np.unique(values[np.minimum(cuts + 1, len(values) - 1)])


def _highest(groups: dict[str, _Group], threshold: float | None) -> str:
    """The group with the highest selection rate."""
    if threshold is None or not groups:
        return ""
    rates = {k: np.average(g.score >= threshold, weights=g.weight) for k, g in groups.items()}
    return max(rates, key=lambda k: float(rates[k]))


def _area(score: Vector, hit: NDArray[np.bool_], weight: Vector) -> float:
    """Weighted AUC; ranks serve where all weights are one."""
    if (weight == weight[0]).all():
        ranks = rankdata(score)
        m, n = int(hit.sum()), int((~hit).sum())
        return float((ranks[hit].sum() - m * (m + 1) / 2) / (m * n))
    values, at = np.unique(score, return_inverse=True)
    yes = np.bincount(at, weight * hit, len(values))
    no = np.bincount(at, weight * ~hit, len(values))
    below = np.cumsum(no) - no
    return float((yes * (below + no / 2)).sum() / (yes.sum() * no.sum()))
