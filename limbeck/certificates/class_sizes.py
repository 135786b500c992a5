"""How rich a class of students is: its functions, its labelings, its VC dimension."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from limbeck.certificates.class_counts import (
    log2_halfspaces,
    log2_juntas,
    log2_m_of_n,
    log2_rule_lists,
    log2_scorecards,
    log2_trees,
)
from limbeck.core.errors import InvalidInput, did_you_mean, plural

__all__ = ["CLASSES", "ClassSize", "Growth", "Limits", "size_up"]

Growth = Callable[[int], float]
"""Binary logarithm of the most ways in which members of a class can be right or wrong on m rows."""


@dataclass(frozen=True)
class Limits:
    """What bounds a class of students; the fields are those of `budget`."""

    features: int
    depth: int | None = None
    leaves: int | None = None
    k: int | None = None
    thresholds: int | None = 1
    classes: int = 2
    points: int | None = None
    pairs: int = 0


@dataclass(frozen=True)
class ClassSize:
    """How rich a class of students is.

    Parameters
    ----------
    words : str
        The class in words.
    log2_size : float or None
        Binary logarithm of a bound on the number of its functions; None where it is infinite.
    growth : Growth
        The same for m rows.
    vc_least : int
        The VC dimension is at least this.
    vc : int or None
        The VC dimension, where it is known.
    """

    words: str
    log2_size: float | None
    growth: Growth
    vc_least: int
    vc: int | None = None


def size_up(into: str, limits: Limits) -> ClassSize:
    """Measure a class of students.

    Parameters
    ----------
    into : str
        One of `CLASSES`.
    limits : Limits
        What bounds it.

    Raises
    ------
    InvalidInput
        If there is no such class, nothing is known of its size, or a size that it needs is
        lacking or does not apply.
    """
    if into in _UNKNOWN:
        raise InvalidInput(f"There is no budget for {into!r}: {_UNKNOWN[into]}.", _KNOWN)
    if into not in _MEASURES:
        raise InvalidInput(f"There is no class of students {into!r}.", did_you_mean(into, CLASSES))
    if limits.classes < 2 or (into in _TWO and limits.classes > 2):
        raise InvalidInput(
            f"classes is {limits.classes}.", f"Give 2, or more for all but {', '.join(_TWO)}."
        )
    if limits.thresholds is None and into != "tree":
        raise InvalidInput(
            f"thresholds is None for {into!r}.",
            "Only trees have a budget with any threshold; give the number of cut points.",
        )
    return _MEASURES[into](limits)


def _finite(words: str, size: float, vc_least: int) -> ClassSize:
    return ClassSize(words, size, lambda m: min(float(m), size), vc_least)


def _trees(x: Limits) -> ClassSize:
    if x.depth is None and x.leaves is None:
        raise InvalidInput("A tree has neither depth nor leaves.", "Give depth=4, or leaves=16.")
    limits = [f"depth {x.depth}"] * (x.depth is not None)
    limits += [plural(x.leaves or 0, "leaf", "leaves")] * (x.leaves is not None)
    words = f"trees of {' and '.join(limits)} over {x.features} features"
    cells = min(2.0 ** (x.depth - 1) if x.depth else math.inf, (x.leaves or math.inf) // 2)
    vc = _cells_of_stumps(int(cells), x.features) if cells else 1  # one leaf: two constants

    def size(tests: float) -> float:
        return log2_trees(tests, depth=x.depth, leaves=x.leaves, classes=x.classes)

    if x.thresholds is None:
        # m rows tell at most m thresholds of a feature apart, the one that decides nothing included
        words += " with real thresholds"
        return ClassSize(words, None, lambda m: min(m, size(x.features * m)), vc)
    return _finite(words, size(x.features * x.thresholds), vc)


def _juntas(x: Limits) -> ClassSize:
    if x.k is None or x.k > x.features:
        raise InvalidInput(
            f"A junta of k={x.k} of {x.features} variables.", "Give k from 1 to features."
        )
    return _finite(
        f"juntas of {x.k} of {x.features} booleans",
        log2_juntas(x.features, x.k, x.classes),
        max(2**x.k, _stumps(x.features)),
    )


def _rule_lists(x: Limits) -> ClassSize:
    if x.depth is None or x.leaves is None:
        raise InvalidInput(
            "A rule list needs leaves (rules) and depth (literals in a rule).",
            "Give for example leaves=5, depth=3.",
        )
    tests = x.features * (x.thresholds or 1)
    cells = min(x.leaves, int(2.0 ** min(x.depth - 1, 60)))
    return _finite(
        f"lists of {plural(x.leaves, 'rule')} with {plural(x.depth, 'literal')}",
        log2_rule_lists(tests, x.leaves, x.depth, x.classes),
        max(min(x.leaves, x.features) + 1, _cells_of_stumps(cells, x.features)),
    )


def _m_of_n(x: Limits) -> ClassSize:
    if x.k is None:
        raise InvalidInput("m-of-n rules need k, the most literals n.", "Give for example k=5.")
    return _finite(
        f"m-of-n rules with up to {plural(x.k, 'literal')}",
        log2_m_of_n(x.features * (x.thresholds or 1), x.k),
        max(min(x.k, x.features) + 1, _stumps(x.features)),
    )


def _scorecards(x: Limits) -> ClassSize:
    if x.k is None or x.points is None:
        raise InvalidInput(
            "A scorecard needs k (items) and points (the most of an item, in whole numbers).",
            "Give for example k=8, points=5.",
        )
    return _finite(
        f"scorecards of {plural(x.k, 'item')} with -{x.points} to {x.points} points",
        log2_scorecards(x.features * (x.thresholds or 1), x.k, x.points),
        max(min(x.k, x.features) + 1, _stumps(x.features)),
    )


def _linear(x: Limits) -> ClassSize:
    return ClassSize(
        f"linear thresholds of {x.features} features",
        None,
        lambda m: log2_halfspaces(m, x.features),
        x.features + 1,
        x.features + 1,  # Wenocur and Dudley 1981
    )


def _additive(x: Limits) -> ClassSize:
    bins = (x.thresholds or 1) + 1
    couples = math.comb(x.features, 2)
    if x.pairs > couples:
        raise InvalidInput(
            f"pairs is {x.pairs}, and {x.features} features make {couples} pairs.", "Give fewer."
        )
    # a sum of tables is a halfspace over indicators of bins, and of pairs of bins
    indicators = x.features * (bins - 1) + x.pairs * (bins - 1) ** 2
    choices = math.log2(math.comb(couples, x.pairs))
    words = f"additive models of {x.features} features in {bins} fixed bins"
    words += f" and {plural(x.pairs, 'pair')}" * bool(x.pairs)
    return ClassSize(
        words,
        None,
        lambda m: min(float(m), choices + log2_halfspaces(m, indicators)),
        indicators + 1,
        None if x.pairs and x.pairs < couples else indicators + 1,
    )


def _stumps(features: int) -> int:
    """VC dimension of single literals and constants over d booleans: 1 + floor(log2(d + 1)).

    Up to complement, m points have 2^(m - 1) - 1 labelings that are not constant, and d
    booleans show that many if 2^(m - 1) - 1 <= d.
    """
    return (features + 1).bit_length()


def _cells_of_stumps(cells: int, features: int) -> int:
    """VC dimension of trees, at least: a stump in each of h cells that other features tell apart.

    ``h (1 + floor(log2(d - ceil(log2 h) + 1)))``; with h = 2^(r - 1) for trees of depth r.
    """
    h: int = max(min(cells, 2 ** min(features, 60)), 1)
    return h * _stumps(features - (h - 1).bit_length())


_MEASURES: dict[str, Callable[[Limits], ClassSize]] = {
    "tree": _trees,
    "junta": _juntas,
    "rules": _rule_lists,
    "linear": _linear,
    "m_of_n": _m_of_n,
    "scorecard": _scorecards,
    "additive": _additive,
}

CLASSES = tuple(_MEASURES)
"""Classes of students with a known size."""

_TWO = ("linear", "m_of_n", "scorecard", "additive")

_KNOWN = f"Give one of {', '.join(CLASSES)}."
_UNKNOWN = {
    "wavelet": "its filter is learned, and no bound on its functions is known here",
    "network": "no useful bound on the number of its functions is known",
    "forest": "limbeck does not distil into forests",
    "boosting": "limbeck does not distil into boosted trees",
}
