"""Score against outcome, feature by feature: shapes on one scale, and bands that hold at once.

Shapes: p bins of all features together, b bags.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from limbeck.audits.audited_rows import AuditTable
from limbeck.audits.bands import Resampled, critical_value, pointwise_factor
from limbeck.audits.contrasts import FeatureDifference, sentences
from limbeck.audits.fitting import Models
from limbeck.audits.results import Differences, Shape

__all__ = ["Scaled", "differences", "least_variance", "scaled"]

Vector = NDArray[np.float64]

_LOST = 0.025


@dataclass(frozen=True, eq=False)
class Scaled:
    """Contributions on the scale of the outcome's log-odds, of all rows and of each bag.

    ``score`` and ``outcome`` have shape (p,), ``bag_score`` and ``bag_outcome`` (b, p); outcome
    and its bags are ``nan`` without an outcome. ``told`` is False where the features explain no
    more of the score or of the outcome than noise would, so that there is no common scale.
    ``ratio`` is what the score's contributions were multiplied by. ``own`` (p,) and ``bag_own``
    (b, p) are the score's contributions in its own log-odds, unscaled, where it is a probability.
    """

    score: Vector
    outcome: Vector
    bag_score: Vector
    bag_outcome: Vector
    told: bool
    ratio: float = 1.0
    own: Vector | None = None
    bag_own: Vector | None = None

    @property
    def difference(self) -> Vector:
        """Score less outcome, shape (p,)."""
        return np.asarray(self.score - self.outcome)

    @property
    def bag_difference(self) -> Vector:
        """The same in each bag, shape (b, p)."""
        return np.asarray(self.bag_score - self.bag_outcome)


def scaled(models: Models) -> Scaled:
    """Bring the score's contributions to the outcome's scale.

    They are multiplied by the ratio of the standard deviations of both models' predictions, each
    with the part that errors of estimation add taken off; so is every bag's, by its own ratio.
    Contributions are centred by the weights of the rows.
    """
    bags = models.bags
    nothing = np.full_like(models.score.theta, np.nan)
    if models.outcome is None:
        score, outcome = models.score.theta, nothing
        each, other = bags.score, bags.outcome
        return Scaled(_centre(models, score), outcome, _centre(models, each), other, True)
    bad = (bags.score_spread <= 0) | (bags.outcome_spread <= 0)
    told = min(models.score.spread, models.outcome.spread) > 0 and bad.mean() <= _LOST
    if not told:
        return Scaled(nothing, nothing, bags.score * np.nan, bags.outcome * np.nan, False)
    ratio = models.outcome.spread / models.score.spread
    ratios = bags.outcome_spread[~bad] / bags.score_spread[~bad]
    return Scaled(
        _centre(models, ratio * models.score.theta),
        _centre(models, models.outcome.theta),
        _centre(models, ratios[:, None] * bags.score[~bad]),
        _centre(models, bags.outcome[~bad]),
        True,
        ratio,
        None if models.own is None else _centre(models, models.own.theta),
        None if models.own is None else _centre(models, bags.own[~bad]),
    )


def differences(table: AuditTable, models: Models, on: Scaled, level: float) -> Differences:
    """Shapes, differences with pointwise and simultaneous bands, and sentences.

    Pointwise bands have the bags' standard deviation and Student's t. Simultaneous bands widen
    all of them by one factor, see `limbeck.audits.bands.critical_value`. No standard deviation is
    less than that of the log-odds of as many outcomes (Haldane 1956), which bags of a bin where
    all outcomes are alike would miss. Sentences speak of contrasts between two bins of a feature,
    and have bands that are simultaneous over all contrasts of all features.

    Parameters
    ----------
    table : AuditTable
        The rows.
    models : Models
        Both models.
    on : Scaled
        Their contributions on one scale.
    level : float
        Of all bands.

    Returns
    -------
    Differences
        Shapes with the surest and largest differences first. Without an outcome, outcomes and
        differences are ``nan`` and the sentences speak of the score alone.
    """
    live = models.mass > 0
    compared = table.outcome is not None
    main = on.difference if compared else on.score
    bags = on.bag_difference if compared else on.bag_score
    z = pointwise_factor(level, len(bags))
    least = least_variance(table, models)
    share = models.mass / float(models.mass.sum()) * len(table.features)
    spread, factor = np.full(len(main), math.nan), math.nan
    if on.told:
        resampled = Resampled(main[live], bags[:, live], ((1 - share) * np.sqrt(least))[live])
        spread[live], factor = resampled.spread, critical_value([resampled.worst], level)
    shapes, parts = [], []
    for j, column in enumerate(table.features.columns):
        bins = _bins_of(table, models, j)
        at, half = bins.at, spread[bins.at][:, None] * np.array([-1.0, 1.0])
        nan = np.full((len(at), 2), np.nan)
        shapes.append(
            Shape(
                feature=column.name,
                unit=column.unit,
                edges=models.bins.edges[j] if bins.alone else np.empty(0),
                levels=bins.last if bins.alone else bins.words,
                count=models.mass[at],
                score=on.score[at],
                score_band=on.score[at][:, None] + z * _half(on.bag_score[:, at]),
                outcome=on.outcome[at],
                outcome_band=on.outcome[at][:, None] + z * _half(on.bag_outcome[:, at]),
                difference=on.difference[at],
                pointwise=main[at][:, None] + z * half if compared else nan,
                simultaneous=main[at][:, None] + factor * half if compared else nan,
                importance=float(np.average(np.abs(main[at]), weights=models.mass[at]))
                if len(at) and on.told
                else math.nan,
            )
        )
        parts.append(
            FeatureDifference(
                column.label, column.unit, bins.alone, bins.words, bins.middles,
                on.score[at], on.outcome[at], main[at], bags[:, at], least[at],
                None if on.own is None else on.own[at] - on.outcome[at],
                None if on.bag_own is None else on.bag_own[:, at] - on.bag_outcome[:, at],
            )
        )  # fmt: skip
    if not on.told:
        text = (
            "Nothing can be told of any feature: the audited features explain no more of the"
            " score or of the outcome than chance would, so the two have no common scale."
        )
        return Differences(tuple(shapes), (text,), level, len(models.bags))
    order = sorted(range(len(shapes)), key=lambda i: _rank(main, spread, factor, models, i))
    return Differences(
        tuple(shapes[i] for i in order),
        tuple(sentences(parts, level, compared, _rate(table))),
        level,
        len(models.bags),
    )


@dataclass(frozen=True, eq=False)
class _FeatureBins:
    """The bins of a feature that hold rows: places ``at`` among all, words and middles.

    Where all inner bins of numbers hold rows, ``alone``, edges say what they are, and only the
    words of ``last``, the bin of missing values, are needed.
    """

    at: NDArray[np.int64]
    words: tuple[str, ...]
    middles: Vector
    alone: bool
    last: tuple[str, ...]


def _bins_of(table: AuditTable, models: Models, j: int) -> _FeatureBins:
    column = table.features.columns[j]
    a, b = models.design.starts[j], models.design.starts[j + 1]
    kept = np.flatnonzero(models.mass[a:b] > 0)
    words = models.bins.words(j, column)
    inner = len(models.bins.edges[j]) + 1
    last = ("missing",) if len(kept) and kept[-1] == b - a - 1 else ()
    alone = column.kind == "numeric" and inner > 1 and len(kept) == inner + len(last)
    middles = _middles(table, models, j, kept)
    return _FeatureBins(kept + a, tuple(words[i] for i in kept), middles, alone, last)


def least_variance(table: AuditTable, models: Models) -> Vector:
    """The least variance (p,) of a contribution to the outcome's log-odds.

    Parameters
    ----------
    table : AuditTable
        Outcome and weights.
    models : Models
        The binned features.
    """
    if table.outcome is None:
        return np.zeros_like(models.mass)
    weight = table.evidence
    n, hits = models.design.sums(weight), models.design.sums(weight * table.outcome)
    return np.asarray(1 / (hits + 0.5) + 1 / (n - hits + 0.5))


def _rate(table: AuditTable) -> float | None:
    """The outcome's rate."""
    return None if table.outcome is None else float(np.average(table.outcome, weights=table.mass))


def _rank(
    main: Vector, spread: Vector, factor: float, models: Models, j: int
) -> tuple[float, float]:
    at = slice(models.design.starts[j], models.design.starts[j + 1])
    there = models.mass[at] > 0
    sure = (np.abs(main[at]) - factor * spread[at])[there]
    size = float(np.abs(main[at]) @ models.mass[at])
    return -max(float(sure.max(initial=-1.0)), 0.0), -size


def _spread(bags: Vector) -> Vector:
    return np.asarray(bags.std(axis=0, ddof=1))


def _half(bags: Vector) -> Vector:
    return np.asarray(_spread(bags)[:, None] * np.array([-1.0, 1.0]))


def _centre(models: Models, theta: Vector) -> Vector:
    """Contributions (..., p) less their mean over rows, feature by feature."""
    out = theta.copy()
    starts = models.design.starts
    for a, b in pairwise(starts):
        w = models.mass[a:b]
        out[..., a:b] -= (out[..., a:b] @ w / w.sum())[..., None]
    return out


def _middles(table: AuditTable, models: Models, j: int, kept: NDArray[np.int64]) -> Vector:
    """A value that stands for each bin: the median of those in it; nan for categories."""
    out = np.full(len(kept), np.nan)
    if table.features.columns[j].kind == "numeric":
        for i, code in enumerate(kept):
            held = table.values[models.codes[:, j] == code, j]
            if len(held) and np.isfinite(held).any():
                out[i] = float(np.nanquantile(held, 0.5, method="lower"))
    return out
