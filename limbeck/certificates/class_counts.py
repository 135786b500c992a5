"""How many functions a class holds, or how many labelings of m rows; counted in bits."""

from __future__ import annotations

import math

import numpy as np

__all__ = [
    "log2_binomial_sum",
    "log2_halfspaces",
    "log2_juntas",
    "log2_m_of_n",
    "log2_rule_lists",
    "log2_scorecards",
    "log2_trees",
]


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

    Returns
    -------
    float
        The count in bits.
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
    """Binary logarithm of the number of tables over k of d booleans: C(d, k) classes^(2^k).

    Parameters
    ----------
    features : int
        The number d of boolean features.
    k : int
        How many of them a table reads.
    classes : int
        Number of classes.
    """
    return math.log2(math.comb(features, k)) + 2.0**k * math.log2(classes)


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


def log2_scorecards(tests: int, k: int, points: int) -> float:
    """Binary logarithm of a count that bounds the scorecards with whole points.

    ``sum_(i = 0..k) C(tests, i) (2P)^i (2 i P + 2)``: i items with points from -P to P other
    than 0, and the total that decides, from -i P to i P + 1.

    Parameters
    ----------
    tests : int
        Number of boolean tests to choose from.
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
