"""Differences between two bins of a feature, told in plain words with bands that hold at once."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from limbeck.audits.bands import Resampled, critical_value
from limbeck.certificates.wording import in_percent

__all__ = ["Contrast", "FeatureDifference", "contrasts", "percentage_points", "sentences"]

Vector = NDArray[np.float64]

_HARDLY = 0.1  # of a difference: an effect of the score that is not worth a direction
_MOST_BINS = 60  # of a feature whose contrasts are all looked at: the heaviest


@dataclass(frozen=True, eq=False)
class FeatureDifference:
    """What is known of one feature: b bins, and what m bags say of them.

    ``ordered`` says whether the bins are those of a number; ``middle`` (b,) then holds a value for
    each. ``main`` (b,) is what is told of, with ``bags`` (m, b): the difference, or the score.
    ``least`` (b,) is a variance below which that of no bin is believed. ``own`` (b,) with
    ``own_bags`` (m, b) is the difference before the score was brought to the outcome's scale, where
    the score has log-odds of its own.
    """

    name: str
    unit: str
    ordered: bool
    words: tuple[str, ...]
    middle: Vector
    score: Vector
    outcome: Vector
    main: Vector
    bags: Vector
    least: Vector | float = 0.0
    own: Vector | None = None
    own_bags: Vector | None = None


@dataclass(frozen=True)
class Contrast:
    """Bin ``end`` less bin ``start`` of feature ``of``, with a simultaneous band."""

    of: int
    start: int
    end: int
    value: float
    low: float
    high: float

    @property
    def sure(self) -> float:
        """How far the band stays from zero; negative where it holds zero."""
        return max(self.low, -self.high)


def contrasts(features: list[FeatureDifference], level: float) -> list[Contrast]:
    """All contrasts of all features, with bands that hold for all of them at once (max-t).

    Parameters
    ----------
    features : list of FeatureDifference
        The contributions of each feature, with their resamples.
    level : float
        Confidence of all bands together.
    """
    found: list[tuple[int, NDArray[np.intp], NDArray[np.intp], Vector, Resampled]] = []
    for k, f in enumerate(features):
        bins = np.arange(min(len(f.main), _MOST_BINS))
        a, b = (bins[i] for i in np.triu_indices(len(bins), 1))
        if not len(a):
            continue
        value, least = f.main[b] - f.main[a], np.broadcast_to(f.least, f.main.shape)
        bags = Resampled(value, f.bags[:, b] - f.bags[:, a], np.sqrt(least[a] + least[b]))
        found.append((k, a, b, value, bags))
    if not found:
        return []
    factor = critical_value([bags.worst for *_, bags in found], level)
    return [
        Contrast(k, int(i), int(e), float(v), float(v - factor * s), float(v + factor * s))
        for k, a, b, value, bags in found
        for i, e, v, s in zip(a, b, value, bags.spread, strict=True)
    ]


def percentage_points(log_odds: float, rate: float) -> float:
    """What a difference in log-odds is in percentage points, around a rate.

    Parameters
    ----------
    log_odds : float
        The difference.
    rate : float
        The rate in (0, 1) that lies midway between both ends, on the log-odds scale.
    """
    middle = logit(rate)
    return float(100 * (expit(middle + log_odds / 2) - expit(middle - log_odds / 2)))


def sentences(
    features: list[FeatureDifference], level: float, compared: bool, rate: float | None = None
) -> list[str]:
    """What can be told, surest first, and last a sentence on what cannot.

    A feature gets its surest contrast and, for a number, the surest one of the other direction.

    Parameters
    ----------
    features : list of FeatureDifference
        All audited features.
    level : float
        At which all sentences hold together.
    compared : bool
        Whether score is compared with outcome, or told alone.
    rate : float, optional
        The outcome's rate, around which differences are also given in percentage points.
    """
    best: dict[tuple[int, bool], Contrast] = {}
    found = contrasts(features, level)
    own = _on_own_scale(features, level)
    for c in found:
        key = (c.of, c.value > 0 or not features[c.of].ordered)
        if c.sure > 0 and (key not in best or c.sure > best[key].sure):
            best[key] = c
    told = sorted(best.values(), key=lambda c: -c.sure)
    out = [_sentence(features[c.of], c, level, compared, rate) + _also(c, own, level) for c in told]
    silent = [f.name for k, f in enumerate(features) if k not in {c.of for c in told}]
    if silent:
        what = "difference between score and outcome" if compared else "effect on the score"
        out.append(
            f"Nothing can be told of {_list(silent)}: every {in_percent(level)} band of the {what}"
            " holds 0."
        )
    return out


def _on_own_scale(
    features: list[FeatureDifference], level: float
) -> dict[tuple[int, int, int], Contrast]:
    """The same contrasts in the score's own log-odds, where it has them."""
    own = [
        replace(f, main=f.own, bags=f.own_bags)
        for f in features
        if f.own is not None and f.own_bags is not None
    ]
    if len(own) < len(features):
        return {}
    return {(c.of, c.start, c.end): c for c in contrasts(own, level)}


def _also(c: Contrast, own: dict[tuple[int, int, int], Contrast], level: float) -> str:
    """What the score's own log-odds say of a contrast that is told on the common scale."""
    if not own:
        return ""
    other = own[c.of, c.start, c.end]
    sign = 1.0 if c.value > 0 else -1.0
    low, high = sorted((sign * other.low, sign * other.high))
    band = f"{in_percent(level)} band {low:.2f} to {high:.2f}".replace("-", "−")
    if low > 0:
        return f" Unscaled, in the score's own log-odds, it is {sign * other.value:.2f}; {band}."
    return (
        " It is seen on the common scale only, where a difference in another feature may put it:"
        f" unscaled, in the score's own log-odds, the {band} (below 0: the other way)."
    )


def _sentence(
    f: FeatureDifference, c: Contrast, level: float, compared: bool, rate: float | None
) -> str:
    start, end, value, low, high = c.start, c.end, c.value, c.low, c.high
    if not f.ordered and value < 0:
        start, end, value, low, high = end, start, -value, -high, -low
    size, ends = abs(value), sorted((abs(low), abs(high)))
    band = f"{in_percent(level)} band {ends[0]:.2f} to {ends[1]:.2f}"
    if rate is not None and 0 < rate < 1:
        points = " to ".join(_points(percentage_points(e, rate)) for e in ends)
        band += f", that is {points} percentage points around a rate of {rate:.0%}"
    band += "."
    if not compared:
        band = f"{in_percent(level)} band {ends[0]:.3g} to {ends[1]:.3g}."
        way = "rises" if value > 0 else "falls"
        if f.ordered and _numbers(f, start, end):
            return f"The score {way} {size:.3g} from {_span(f, start, end)}; {band}"
        start, end = (start, end) if value > 0 else (end, start)
        return (
            f"The score is {size:.3g} higher for {f.name} {f.words[end]} than for"
            f" {f.words[start]}; {band}"
        )
    if not (f.ordered and _numbers(f, start, end)):
        start, end = (start, end) if value > 0 else (end, start)
        return (
            f"For {f.name} {f.words[end]}, against {f.words[start]}, the score is {size:.2f}"
            f" log-odds higher than the outcome bears out; {band}"
        )
    rise = f.score[end] - f.score[start]
    span = _span(f, start, end)
    if abs(rise) < _HARDLY * size:
        way = "rises" if f.outcome[end] > f.outcome[start] else "falls"
        return (
            f"From {span} the outcome {way}, and the score hardly changes: {size:.2f} log-odds"
            f" apart; {band}"
        )
    way = "rises" if rise > 0 else "falls"
    how = "more" if rise * value > 0 else "less"
    return f"From {span} the score {way} {size:.2f} log-odds {how} than the outcome does; {band}"


def _numbers(f: FeatureDifference, start: int, end: int) -> bool:
    return bool(np.isfinite(f.middle[[start, end]]).all())


def _span(f: FeatureDifference, start: int, end: int) -> str:
    unit = f" {f.unit}" if f.unit else ""
    return f"{f.name} {_number(f.middle[start])} to {_number(f.middle[end])}{unit}"


def _points(value: float) -> str:
    return f"{value:.0f}" if value >= 9.95 else f"{value:.2g}"


def _number(value: float) -> str:
    text = f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"
    return text.replace("-", "−") if "e" not in text else text


def _list(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
