"""What fairness audits report by group: rates of decisions and errors, AUC, calibration curves.

A decision is made of the score by a threshold that the auditor names: whoever has at least so
much is *selected*. Shapes: n rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import norm, rankdata

from limbeck.audits.results import Estimate
from limbeck.certificates.binomial import interval

__all__ = ["CalibrationCurve", "Favourable", "GroupMetrics", "auc", "group_metrics", "impact_ratio"]

FEWEST = 30
"""Groups with fewer rows get no numbers."""
_BINS = 5

Vector = NDArray[np.float64]
Favourable = Literal["high", "low"]


@dataclass(frozen=True, eq=False)
class CalibrationCurve:
    """The outcome's rate by the score within one group; arrays of shape (b,) over bins.

    ``curve`` is the log-odds that the calibration of all rows together expects.
    """

    score: Vector
    rate: Vector
    low: Vector
    high: Vector
    count: Vector
    curve: Vector


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
        The share that gets the favourable decision, over that of the group in which it is highest
        (US Uniform Guidelines on Employee Selection Procedures 1978, section 4D: the four-fifths
        rule). None for that group, and where nobody says which decision is favourable.
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
    """The rows of one group."""

    name: str
    score: Vector
    outcome: Vector | None
    weight: Vector

    def share(self, of: NDArray[np.bool_], within: NDArray[np.bool_], level: float) -> Estimate:
        """The share of rows ``within`` that are also in ``of``; exact binomial ends."""
        total = float(self.weight[within].sum())
        size = max(round(total), 1)
        value = float(self.weight[within & of].sum()) / total
        low, high = interval(min(round(value * size), size), size, 1 - level)
        return Estimate(value, min(low, value), max(high, value), level)


def group_metrics(
    score: Vector,
    outcome: Vector | None,
    groups: Sequence[object] | NDArray[np.object_],
    *,
    threshold: float | None = None,
    favourable: Favourable | None = None,
    weight: Vector | None = None,
    curve: Callable[[Vector], Vector] | None = None,
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
    favourable : {"high", "low"}, optional
        Whether the selected, or the others, get the favourable decision; for impact ratios.
    weight : ndarray of shape (n,), optional
        How many independent people each row is worth, see `AuditTable.evidence`; 1 each by
        default.
    curve : callable, optional
        From scores to the log-odds that the calibration of all rows expects.
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
        str(name): _Group(str(name), score[at], None if outcome is None else outcome[at], w[at])
        for name, at in rows.items()
        if at.sum() >= FEWEST
    }
    ratios = {} if favourable is None else _ratios(held, threshold, favourable == "high", each)
    return tuple(
        replace(
            _of_group(held[str(name)], threshold, edges, curve, each),
            impact_ratio=ratios.get(str(name)),
        )
        if str(name) in held
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


def auc(score: Vector, outcome: Vector, weight: Vector, level: float) -> Estimate:
    """The area under the ROC curve, with Newcombe's interval.

    Parameters
    ----------
    score, outcome, weight : ndarray of shape (n,)
        Scores, 0 or 1, and how many independent people each row is worth.
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
    m, n = float(weight[hit].sum()), float(weight[~hit].sum())
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
    g: _Group,
    threshold: float | None,
    edges: Vector,
    curve: Callable[[Vector], Vector] | None,
    level: float,
) -> GroupMetrics:
    every = np.ones(len(g.score), dtype=bool)
    found: dict[str, Any] = {}
    selected = every if threshold is None else g.score >= threshold
    if threshold is not None:
        found["selection_rate"] = g.share(selected, every, level)
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
        found["auc"] = auc(g.score, g.outcome, g.weight, level)
    calibration = _calibration(g, edges, hit, curve, level)
    return GroupMetrics(g.name, len(g.score), **found, calibration=calibration)


def _calibration(
    g: _Group,
    edges: Vector,
    hit: NDArray[np.bool_],
    curve: Callable[[Vector], Vector] | None,
    level: float,
) -> CalibrationCurve:
    """Rates in bins of the score that all groups share; bins without rows are left out."""
    at = np.digitize(g.score, edges)
    here = [at == b for b in np.unique(at)]
    share = 1 - (1 - level) / len(here)
    rates = [g.share(hit, i, share) for i in here]
    score = np.array([float(np.average(g.score[i], weights=g.weight[i])) for i in here])
    return CalibrationCurve(
        score,
        np.array([r.value for r in rates]),
        np.array([r.low for r in rates]),
        np.array([r.high for r in rates]),
        np.array([float(i.sum()) for i in here]),
        np.full(len(score), np.nan) if curve is None else curve(score),
    )


def _edges(score: Vector, weight: Vector) -> Vector:
    """Up to 12 different scores stand alone, more are cut into fifths of all rows."""
    values, at = np.unique(score, return_inverse=True)
    if len(values) <= 12:
        return np.asarray((values[1:] + values[:-1]) / 2)
    mass = np.cumsum(np.bincount(at, weight))
    cuts = np.searchsorted(mass, np.arange(1, _BINS) / _BINS * mass[-1])
    return np.unique(values[np.minimum(cuts + 1, len(values) - 1)])


def _ratios(
    groups: dict[str, _Group], threshold: float | None, high: bool, level: float
) -> dict[str, Estimate]:
    """Impact ratios of all groups but the one with the highest favourable rate."""
    if threshold is None:
        return {}
    half = 1 - (1 - level) / 2
    rates = {
        name: g.share((g.score >= threshold) == high, np.ones(len(g.score), dtype=bool), half)
        for name, g in groups.items()
    }
    best = max(rates, key=lambda name: rates[name].value, default="")
    if not best or rates[best].value == 0:
        return {}
    return {
        name: impact_ratio(rate, rates[best], rate.value / rates[best].value, level)
        for name, rate in rates.items()
        if name != best
    }


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
