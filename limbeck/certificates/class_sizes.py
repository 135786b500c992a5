"""How many functions a class of students holds, or how many labelings it can give."""

from __future__ import annotations

import math
from collections.abc import Callable

from limbeck.errors import InvalidInput, plural

__all__ = ["CLASSES", "Growth", "log2_juntas", "log2_rule_lists", "log2_trees", "size_up"]

CLASSES = ("tree", "junta", "rules", "linear")
"""Classes of students with a known size."""

Growth = Callable[[int], float]
"""Binary logarithm of the growth function: labelings of m rows that the class can give."""


def size_up(
    into: str,
    d: int,
    depth: int | None,
    leaves: int | None,
    k: int | None,
    thresholds: int | None,
    classes: int,
) -> tuple[str, float | None, Growth, int | None]:
    """Measure a class of students.

    Parameters
    ----------
    into : str
        One of `CLASSES`.
    d, depth, leaves, k, thresholds, classes
        As for `budget`; d is the number of features.

    Returns
    -------
    tuple of (str, float or None, Growth, int or None)
        The class in words, log2 of its size where it is finite, its growth function, and its VC
        dimension where it is known.

    Raises
    ------
    InvalidInput
        If a size that the class needs is lacking.
    """
    if into == "linear":
        vc = d + 1  # halfspaces; Blumer et al. 1989, section 1

        def halfspaces(m: int) -> float:
            return float(m) if m <= vc else vc * math.log2(math.e * m / vc)  # Sauer 1972

        return f"linear thresholds of {d} features", None, halfspaces, vc
    if into == "junta":
        if k is None or k > d:
            raise InvalidInput(f"A junta of k={k} of {d} variables.", "Give k from 1 to features.")
        size = log2_juntas(d, k, classes)
        return f"juntas of {k} of {d} booleans", size, lambda _: size, None
    if into == "rules":
        if depth is None or leaves is None or thresholds is None:
            raise InvalidInput(
                "A rule list needs leaves (rules), depth (literals in a rule) and thresholds.",
                "Give for example leaves=5, depth=3.",
            )
        size = log2_rule_lists(d * thresholds, leaves, depth, classes)
        words = f"lists of {plural(leaves, 'rule')} with {plural(depth, 'literal')}"
        return words, size, lambda _: size, None
    if depth is None and leaves is None:
        raise InvalidInput("A tree has neither depth nor leaves.", "Give depth=4, or leaves=16.")
    limits = [f"depth {depth}"] * (depth is not None) + [plural(leaves or 0, "leaf", "leaves")] * (
        leaves is not None
    )
    words = f"trees of {' and '.join(limits)} over {d} features"
    if thresholds is None:
        # m rows tell at most m thresholds of a feature apart, the one that decides nothing included
        return (
            f"{words} with real thresholds",
            None,
            lambda m: min(m, log2_trees(d * m, depth=depth, leaves=leaves, classes=classes)),
            None,
        )
    size = log2_trees(d * thresholds, depth=depth, leaves=leaves, classes=classes)
    return words, size, lambda _: size, None


def log2_trees(
    tests: float, *, depth: int | None = None, leaves: int | None = None, classes: int = 2
) -> float:
    """Binary logarithm of a count that bounds the number of decision trees.

    Full trees of depth r have 2^r - 1 inner nodes and 2^r leaves:
    ``tests^(2^r - 1) * classes^(2^r)``. Trees with s leaves have one of Catalan(s - 1) shapes:
    ``Catalan(s - 1) * tests^(s - 1) * classes^s``. Smaller trees are among them, with tests
    that decide nothing. Counting: Quinlan and Rivest (1989) code trees in the same way.

    Parameters
    ----------
    tests : float
        Different tests at a node: features, or features times thresholds.
    depth, leaves : int, optional
        Limits, at least one of them; with both the smaller count holds.
    classes : int
        Labels of a leaf.
    """
    counts = []
    if depth is not None:
        counts.append((2.0**depth - 1) * math.log2(tests) + 2.0**depth * math.log2(classes))
    if leaves is not None:
        s = leaves
        catalan = math.lgamma(2 * s - 1) - math.lgamma(s) - math.lgamma(s + 1)
        shapes = catalan / math.log(2)
        counts.append(shapes + (s - 1) * math.log2(tests) + s * math.log2(classes))
    return min(counts)


def log2_juntas(features: int, k: int, classes: int = 2) -> float:
    """Binary logarithm of the number of tables over k of d booleans: C(d, k) classes^(2^k)."""
    return math.log2(math.comb(features, k)) + 2.0**k * math.log2(classes)


def log2_rule_lists(tests: int, rules: int, literals: int, classes: int = 2) -> float:
    """Binary logarithm of a count that bounds the rule lists; Rivest (1987).

    Each of s rules has one of ``sum_i C(tests, i) 2^i`` conditions of up to w literals and a
    class; a default class follows.
    """
    most = min(literals, tests)
    conditions = sum(math.comb(tests, i) * 2**i for i in range(most + 1))
    return rules * (math.log2(conditions) + math.log2(classes)) + math.log2(classes)
