"""Each bound on a class against every function of a small one, or every labeling of some points."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pytest

from limbeck.certificates.budgets import budget
from limbeck.certificates.class_limits import Limits
from limbeck.certificates.class_measures import MEASURES, READS
from limbeck.certificates.class_sizes import size_up
from limbeck.certificates.frontier import vc_dimension
from limbeck.core.errors import InvalidInput
from limbeck.core.registry import STUDENTS

CUBE = np.array(list(itertools.product([0, 1], repeat=3)), dtype=np.bool_)


def distinct(functions: Sequence[np.ndarray]) -> np.ndarray:
    return np.unique(np.array(functions, dtype=np.bool_), axis=0)


def conjunctions(most: int) -> list[np.ndarray]:
    """ANDs of up to so many literals of three booleans."""
    return [
        np.all(CUBE[:, columns] == signs, axis=1)
        for w in range(1, most + 1)
        for columns in itertools.combinations(range(3), w)
        for signs in itertools.product([False, True], repeat=w)
    ]


def m_of_n(k: int) -> np.ndarray:
    rules = [np.zeros(8, np.bool_), np.ones(8, np.bool_)]
    for n in range(1, k + 1):
        for columns in itertools.combinations(range(3), n):
            for signs in itertools.product([False, True], repeat=n):
                held = (CUBE[:, columns] == signs).sum(axis=1)
                rules += [held >= m for m in range(1, n + 1)]
    return distinct(rules)


def trees_of(tests: np.ndarray, leaves: int) -> np.ndarray:
    """Every function of a tree with so many leaves that asks these tests."""
    if leaves == 1:
        return np.array([[False] * 8, [True] * 8])
    smaller = [trees_of(tests, n) for n in range(1, leaves)]
    found = [
        np.where(test, a, b)
        for left in range(1, leaves)
        for a in smaller[left - 1]
        for b in smaller[leaves - left - 1]
        for test in tests
    ]
    return distinct([*smaller[-1], *found])


def sums(items: Sequence[np.ndarray], k: int, weights: Sequence[int]) -> np.ndarray:
    """Every threshold of a sum of up to k items with such weights."""
    out = [np.zeros(8, np.bool_), np.ones(8, np.bool_)]
    for chosen in itertools.combinations(items, k):
        for points in itertools.product(weights, repeat=k):
            total = np.sum([p * item for p, item in zip(points, chosen, strict=True)], axis=0)
            out += [total >= c for c in np.unique(total)]
    return distinct(out)


@pytest.mark.parametrize(
    ("into", "limits", "functions"),
    [
        ("m_of_n", Limits(3, k=2, leaves=1), trees_of(m_of_n(2), 1)),
        ("m_of_n", Limits(3, k=2, leaves=2), trees_of(m_of_n(2), 2)),
        ("m_of_n", Limits(3, k=1, leaves=3), trees_of(m_of_n(1), 3)),
        ("m_of_n", Limits(3, k=3, leaves=2), trees_of(m_of_n(3), 2)),
        ("scorecard", Limits(3, k=1, points=1, depth=2), sums(conjunctions(2), 1, [-1, 0, 1])),
        ("scorecard", Limits(3, k=2, points=1, depth=2), sums(conjunctions(2), 2, [-1, 0, 1])),
        ("sparse_sum", Limits(3, k=1), sums(conjunctions(1), 1, [-1, 0, 1])),
        ("sparse_sum", Limits(3, k=2), sums(conjunctions(1), 2, [-2, -1, 0, 1, 2])),
        ("sparse_sum", Limits(3, k=1, depth=3), sums(conjunctions(3), 1, [-1, 0, 1])),
    ],
)
def test_against_every_function(into: str, limits: Limits, functions: np.ndarray) -> None:
    size = size_up(into, limits)
    assert math.log2(len(functions)) <= size.growth(len(CUBE)) <= len(CUBE)
    assert size.vc_least <= vc_dimension(functions)
    if size.log2_size is not None:
        assert math.log2(len(functions)) <= size.log2_size


@pytest.mark.parametrize(("k", "leaves"), [(2, 4), (3, 6)])
def test_trees_of_counts_are_richer_than_trees(k: int, leaves: int) -> None:
    """In each of leaves / 2 cells an m-of-n rule shatters the origin and k unit vectors."""
    size = size_up("m_of_n", Limits(100, k=k, leaves=leaves))
    assert size.vc_least == leaves // 2 * max(k + 1, 7)
    assert size.log2_size is not None
    plain = size_up("tree", Limits(100, leaves=leaves)).log2_size
    assert plain is not None
    assert size.log2_size > plain


@pytest.mark.parametrize("levels", [2, 3])
def test_juntas_of_variables_with_levels(levels: int) -> None:
    X = np.array(list(itertools.product(range(levels), repeat=2)))
    tables = np.array(list(itertools.product([0, 1], repeat=levels)), dtype=np.bool_)
    functions = distinct([table[X[:, j]] for j in range(2) for table in tables])
    size = size_up("junta", Limits(2, k=1, thresholds=levels - 1))
    assert size.log2_size == pytest.approx(math.log2(2 * 2**levels))
    assert math.log2(len(functions)) <= size.log2_size
    assert size.vc_least <= vc_dimension(functions)


@pytest.mark.parametrize("leaves", [1, 2, 3])
def test_labelings_of_oblique_trees_on_a_line(leaves: int) -> None:
    """A leaf is a halfspace and a question cuts: on a line labels change up to 2 s - 1 times."""
    m = 60
    found = sum(2 * math.comb(m - 1, i) for i in range(2 * leaves))
    size = size_up("oblique_tree", Limits(1, leaves=leaves))
    assert math.log2(found) <= size.growth(m) < m
    assert size.vc_least == 2
    if leaves == 1:
        assert size.growth(m) == pytest.approx(math.log2(found))
        assert size.vc == 2


def test_words_and_that_sets_of_rules_are_lists() -> None:
    """A set of rules is the list of them in the order in which they decide."""
    limits = Limits(20, leaves=4, depth=3)
    sets, lists = size_up("rules", limits), size_up("rule_list", limits)
    assert (sets.log2_size, sets.vc_least) == (lists.log2_size, lists.vc_least)
    assert (sets.words[:4], lists.words[:5]) == ("sets", "lists")
    card = size_up("scorecard", Limits(20, k=3, points=5, depth=2))
    assert card.words == "scorecards of 3 items (ANDs of up to 2 literals) with -5 to 5 points"


def test_every_registered_student_has_a_budget_or_a_reason() -> None:
    settings = {"depth": 2, "leaves": 4, "k": 2, "points": 3}
    for name in STUDENTS.names():
        given = {k: v for k, v in settings.items() if k in READS.get(name, ())}
        if name in MEASURES:
            found = budget(name, 0.05, 0.05, features=10, **given)
            assert found.rows[0].n == 60
            assert found.rows[2].n >= found.rows[3].n > 0
        else:
            with pytest.raises(InvalidInput, match=f"no budget for '{name}': its"):
                budget(name, 0.05, 0.05, features=10)


@pytest.mark.parametrize(
    ("into", "limits", "message"),
    [
        ("linear", Limits(4, depth=3), "depth is 3, and does not bound the class 'linear'"),
        ("tree", Limits(4, depth=3, points=2), "points is 2, and does not bound"),
        ("linear", Limits(4, thresholds=5), "thresholds is 5, and does not bound"),
        ("tree", Limits(4, depth=3, pairs=1), "pairs is 1, and does not bound"),
        ("tree", Limits(4, depth=2000), "depth is 2000"),
        ("m_of_n", Limits(4, k=2, classes=3), "an m-of-n rule says one of two"),
        ("sparse_sum", Limits(4), "needs k, the most terms"),
        ("oblique_tree", Limits(4), "needs leaves, the most regions"),
    ],
)
def test_refusals(into: str, limits: Limits, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        size_up(into, limits)
