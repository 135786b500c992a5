"""How rich the class of each kind of student is, one function for each."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from limbeck.certificates.class_counts import (
    log2_halfspaces,
    log2_juntas,
    log2_m_of_n,
    log2_oblique_trees,
    log2_rule_lists,
    log2_scorecards,
    log2_trees,
    log2_trees_of,
    terms_of,
)
from limbeck.certificates.class_limits import ClassSize, Limits
from limbeck.core.errors import InvalidInput, plural

__all__ = ["MEASURES", "READS", "TWO_CLASSES"]


def _finite(words: str, size: float, vc_least: int) -> ClassSize:
    return ClassSize(words, size, lambda m: min(float(m), size), vc_least)


def _trees(x: Limits) -> ClassSize:
    if x.depth is None and x.leaves is None:
        raise InvalidInput("A tree has neither depth nor leaves.", "Give depth=4, or leaves=16.")
    limits = [f"depth {x.depth}"] * (x.depth is not None)
    limits += [plural(x.leaves or 0, "leaf", "leaves")] * (x.leaves is not None)
    words = f"trees of {' and '.join(limits)} over {x.features} features"
    cells = min(2.0 ** (x.depth - 1) if x.depth else math.inf, (x.leaves or math.inf) // 2)
    vc = _cells(int(cells), x.features) if cells else 1  # one leaf: two constants

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
    levels = (x.thresholds or 1) + 1
    what = "booleans" if levels == 2 else f"variables with {levels} levels"
    return _finite(
        f"juntas of {x.k} of {x.features} {what}",
        log2_juntas(x.features, x.k, x.classes, levels),
        max(levels**x.k, _stumps(x.features)),
    )


def _rules(ordered: bool, x: Limits) -> ClassSize:
    """Lists; and sets, which are lists with the rules in the order in which they decide."""
    if x.depth is None or x.leaves is None:
        raise InvalidInput(
            "A rule list needs leaves (rules) and depth (literals in a rule).",
            "Give for example leaves=5, depth=3.",
        )
    cells = min(x.leaves, int(2.0 ** min(x.depth - 1, 60)))
    return _finite(
        f"{'lists' if ordered else 'sets'} of {plural(x.leaves, 'rule')}"
        f" with {plural(x.depth, 'literal')}",
        log2_rule_lists(_tests(x), x.leaves, x.depth, x.classes),
        max(min(x.leaves, x.features) + 1, _cells(cells, x.features)),
    )


def _m_of_n(x: Limits) -> ClassSize:
    if x.k is None:
        raise InvalidInput("m-of-n rules need k, the most literals n.", "Give for example k=5.")
    one = log2_m_of_n(_tests(x), x.k)
    literals = plural(x.k, "literal")
    if x.leaves is None:
        if x.classes > 2:
            raise InvalidInput(
                f"classes is {x.classes}, and an m-of-n rule says one of two.",
                "Give 2; or leaves, for a tree of such rules.",
            )
        vc = max(min(x.k, x.features) + 1, _stumps(x.features))
        return _finite(f"m-of-n rules with up to {literals}", one, vc)
    return _finite(
        f"trees of {plural(x.leaves, 'leaf', 'leaves')} that ask m-of-n questions of {literals}",
        log2_trees_of(one, leaves=x.leaves, classes=x.classes),
        _cells(x.leaves // 2, x.features, x.k) if x.leaves > 1 else 1,
    )


def _scorecards(x: Limits) -> ClassSize:
    if x.k is None or x.points is None:
        raise InvalidInput(
            "A scorecard needs k (items) and points (the most of an item, in whole numbers).",
            "Give for example k=8, points=5.",
        )
    return _finite(
        f"scorecards of {_items(x, 'item')} with -{x.points} to {x.points} points",
        log2_scorecards(terms_of(_tests(x), x.depth or 1), x.k, x.points),
        max(min(x.k, x.features) + 1, _stumps(x.features)),
    )


def _sparse_sums(x: Limits) -> ClassSize:
    if x.k is None:
        raise InvalidInput("A sparse sum needs k, the most terms.", "Give for example k=8.")
    terms = terms_of(_tests(x), x.depth or 1)
    k = min(x.k, terms)
    choices = math.log2(math.comb(terms, k))  # then it is a halfspace over the terms
    return ClassSize(
        f"sums of {_items(x, 'term')} with real weights",
        None,
        lambda m: min(float(m), choices + log2_halfspaces(m, k)),
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


def _oblique_trees(x: Limits) -> ClassSize:
    if x.leaves is None:
        raise InvalidInput(
            "An oblique tree needs leaves, the most regions.", "Give for example leaves=8."
        )
    leaves = x.leaves
    return ClassSize(
        f"trees of {plural(leaves, 'region')} with linear questions and leaves"
        f" over {x.features} features",
        None,
        lambda m: min(float(m), log2_oblique_trees(m, x.features, leaves)),
        x.features + 1,
        x.features + 1 if leaves == 1 else None,
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


def _tests(x: Limits) -> int:
    return x.features * (x.thresholds or 1)


def _items(x: Limits, name: str) -> str:
    ands = "" if not x.depth or x.depth == 1 else f" (ANDs of up to {x.depth} literals)"
    return plural(x.k or 0, name) + ands


def _stumps(features: int) -> int:
    """VC dimension of single literals and constants over d booleans: 1 + floor(log2(d + 1)).

    Up to complement, m points have 2^(m - 1) - 1 labelings that are not constant, and d
    booleans show that many if 2^(m - 1) - 1 <= d.
    """
    return (features + 1).bit_length()


def _cells(cells: int, features: int, k: int = 1) -> int:
    """VC dimension of trees, at least: a test in each of h cells that other features tell apart.

    ``h (1 + floor(log2(d - ceil(log2 h) + 1)))``; with h = 2^(r - 1) for trees of depth r. Where
    a test is an m-of-n rule of k literals, ``h (k + 1)`` if that is more.
    """
    h: int = max(min(cells, 2 ** min(features, 60)), 1)
    free = features - (h - 1).bit_length()
    return h * max(_stumps(free), min(k, free) + 1)


MEASURES: dict[str, Callable[[Limits], ClassSize]] = {
    "tree": _trees,
    "oblique_tree": _oblique_trees,
    "junta": _juntas,
    "rules": partial(_rules, False),
    "rule_list": partial(_rules, True),
    "m_of_n": _m_of_n,
    "scorecard": _scorecards,
    "sparse_sum": _sparse_sums,
    "linear": _linear,
    "additive": _additive,
}
"""By the name of the student, as in `limbeck students`."""

READS = {
    "tree": ("depth", "leaves", "thresholds"),
    "oblique_tree": ("leaves",),
    "junta": ("k", "thresholds"),
    "rules": ("depth", "leaves", "thresholds"),
    "rule_list": ("depth", "leaves", "thresholds"),
    "m_of_n": ("k", "leaves", "thresholds"),
    "scorecard": ("k", "depth", "points", "thresholds"),
    "sparse_sum": ("k", "depth", "thresholds"),
    "linear": (),
    "additive": ("thresholds", "pairs"),
}
"""Which limits each reads, beside features and classes."""

TWO_CLASSES = ("linear", "oblique_tree", "scorecard", "sparse_sum", "additive")
