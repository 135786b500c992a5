"""How many functions a class holds, or how many labelings of m rows; counted in bits."""

from __future__ import annotations

import math

import numpy as np

__all__ = [
    "log2_binomial_sum",
    "log2_halfspaces",
    "log2_juntas",
    "log2_m_of_n",
    "log2_oblique_trees",
    "log2_rule_lists",
    "log2_scorecards",
    "log2_trees",
    "log2_trees_of",
    "terms_of",
]


def log2_trees(
    tests: float, *, depth: int | None = None, leaves: int | None = None, classes: int = 2
) -> float:
    """Binary logarithm of a count that bounds the number of decision trees.

    Full trees of depth r have 2^r - 1 inner nodes and 2^r leaves:
    ``tests^(2^r - 1) * classes^(2^r)``. Trees with s leaves have one of Catalan(s - 1) shapes:
    ``Catalan(s - 1) * tests^(s - 1) * classes^s``. Smaller trees are among them, with tests
    that decide nothing.

    Parameters
    ----------
    tests : float
        Different tests at a node: features, or features times thresholds.
    depth, leaves : int, optional
        Limits, at least one of them; with both the smaller count holds.
    classes : int
        Labels of a leaf.

    Returns
    -------
    float
        The count in bits.
    """
    return log2_trees_of(math.log2(tests), depth=depth, leaves=leaves, classes=classes)


def log2_trees_of(
    log2_tests: float, *, depth: int | None = None, leaves: int | None = None, classes: int = 2
) -> float:
    """The same for a number of tests that is given by its binary logarithm.

    Parameters
    ----------
    log2_tests : float
        Binary logarithm of the different tests at a node.
    depth, leaves, classes
        As in `log2_trees`.
    """
    counts = []
    if depth is not None:
        counts.append((2.0**depth - 1) * log2_tests + 2.0**depth * math.log2(classes))
    if leaves is not None:
        counts.append(
            _log2_shapes(leaves) + (leaves - 1) * log2_tests + leaves * math.log2(classes)
        )
    return min(counts)


def log2_oblique_trees(m: int, dimension: int, leaves: int) -> float:
    """Binary logarithm of a count that bounds how oblique trees with s leaves label m points.

    ``Catalan(s - 1) L(m, d)^(2 s - 1)``: each of the s - 1 questions cuts the points, and each of
    the s leaves labels them, in one of the L(m, d) ways of a halfspace (`log2_halfspaces`).

    Parameters
    ----------
    m : int
        Number of points.
    dimension : int
        The dimension d of the space.
    leaves : int
        The number s of leaves.
    """
    return _log2_shapes(leaves) + (2 * leaves - 1) * log2_halfspaces(m, dimension)


def _log2_shapes(leaves: int) -> float:
    """Binary logarithm of Catalan(s - 1), the number of binary trees with s leaves."""
    catalan = math.lgamma(2 * leaves - 1) - math.lgamma(leaves) - math.lgamma(leaves + 1)
    return catalan / math.log(2)


def log2_juntas(features: int, k: int, classes: int = 2, levels: int = 2) -> float:
    """Binary logarithm of the number of tables over k of d variables: C(d, k) classes^(levels^k).

    Parameters
    ----------
    features : int
        The number d of variables.
    k : int
        How many of them a table reads.
    classes : int
        Number of classes.
    levels : int
        Different values of a variable; 2 for booleans.
    """
    return math.log2(math.comb(features, k)) + float(levels**k) * math.log2(classes)


def log2_rule_lists(tests: int, rules: int, literals: int, classes: int = 2) -> float:
    """Binary logarithm of a count that bounds the rule lists; Rivest (1987).

    Each of s rules has one of ``sum_i C(tests, i) 2^i`` conditions of up to w literals and a
    class; a default class follows.

    Parameters
    ----------
    tests : int
        Number of boolean tests to choose from.
    rules : int
        The number s of rules.
    literals : int
        The most literals w in a condition.
    classes : int
        Number of classes.
    """
    most = min(literals, tests)
    conditions = sum(math.comb(tests, i) * 2**i for i in range(most + 1))
    return rules * (math.log2(conditions) + math.log2(classes)) + math.log2(classes)


def log2_m_of_n(tests: int, k: int) -> float:
    """Binary logarithm of a count that bounds the m-of-n rules with up to k literals.

    ``2 + sum_(i = 1..k) C(tests, i) 2^i i``: i literals, each with a sign, of which m = 1..i
    must hold; and the two constants.

    Parameters
    ----------
    tests : int
        Number of boolean tests to choose from.
    k : int
        Most literals in a rule.
    """
    return math.log2(2 + sum(math.comb(tests, i) * 2**i * i for i in range(1, min(k, tests) + 1)))


def terms_of(tests: int, literals: int) -> int:
    """How many terms a sum can choose from: ANDs of up to w literals; literals if w is 1.

    ``sum_(i = 1..w) C(tests, i) 2^i``; for w = 1 only ``tests``, as a literal is 1 less its
    opposite, so that a sum of literals is one of tests with another level.

    Parameters
    ----------
    tests : int
        Number of boolean tests.
    literals : int
        The most literals w in a term.
    """
    if literals == 1:
        return tests
    return sum(math.comb(tests, i) * 2**i for i in range(1, min(literals, tests) + 1))


def log2_scorecards(tests: int, k: int, points: int) -> float:
    """Binary logarithm of a count that bounds the scorecards with whole points.

    ``sum_(i = 0..k) C(tests, i) (2P)^i (2 i P + 2)``: i items with points from -P to P other
    than 0, and the total that decides, from -i P to i P + 1.

    Parameters
    ----------
    tests : int
        Number of items to choose from.
    k : int
        Most items on a scorecard.
    points : int
        The largest number P of points of an item.
    """
    return math.log2(
        sum(
            math.comb(tests, i) * (2 * points) ** i * (2 * i * points + 2)
            for i in range(min(k, tests) + 1)
        )
    )


def log2_halfspaces(m: int, dimension: int) -> float:
    """Binary logarithm of how many labelings of m points halfspaces can give; Cover (1965).

    ``2 sum_(i = 0..d) C(m - 1, i)`` for m points of R^d in general position, and no more for
    others.

    Parameters
    ----------
    m : int
        Number of points.
    dimension : int
        The dimension d of the space.
    """
    return 1 + log2_binomial_sum(m - 1, dimension)


def log2_binomial_sum(n: int, k: int) -> float:
    """Binary logarithm of ``sum_(i = 0..k) C(n, i)``, the bound of Sauer (1972) for VC k.

    Parameters
    ----------
    n, k : int
        Not below 0.
    """
    if k >= n:
        return float(n)
    i = np.arange(1, k + 1, dtype=np.float64)
    terms = np.concatenate([[0.0], np.cumsum(np.log2((n - i + 1) / i))])  # log2 of each C(n, i)
    return float(np.logaddexp2.reduce(terms))
