from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from limbeck.certificates.class_sizes import log2_juntas, log2_rule_lists, log2_trees, size_up


def _tables_of_trees(depth: int, d: int) -> set[tuple[int, ...]]:
    points = np.array(list(itertools.product([0, 1], repeat=d)))
    if depth == 0:
        return {tuple([0] * len(points)), tuple([1] * len(points))}
    small = [np.array(t) for t in _tables_of_trees(depth - 1, d)]
    return {
        tuple(np.where(points[:, j] == 1, a, b).tolist())
        for j in range(d)
        for a in small
        for b in small
    }


@pytest.mark.parametrize(("depth", "d"), [(0, 2), (1, 2), (1, 3), (2, 2), (2, 3)])
def test_tree_counts_bound_the_functions(depth: int, d: int) -> None:
    functions = len(_tables_of_trees(depth, d))
    assert math.log2(functions) <= log2_trees(d, depth=depth)
    assert math.log2(functions) <= log2_trees(d, leaves=2**depth)


def test_tree_counts_by_hand() -> None:
    assert log2_trees(7, leaves=3) == pytest.approx(math.log2(2 * 7**2 * 2**3))
    assert log2_trees(7, depth=2, classes=3) == pytest.approx(math.log2(7**3 * 3**4))
    assert log2_trees(7, depth=9, leaves=3) == log2_trees(7, leaves=3)


def test_junta_and_rule_counts_by_hand() -> None:
    assert log2_juntas(100, 3) == pytest.approx(math.log2(161_700 * 2**8))
    assert log2_rule_lists(4, rules=1, literals=1) == pytest.approx(math.log2((1 + 8) * 2 * 2))
    assert log2_rule_lists(2, 1, 5) == pytest.approx(math.log2(9 * 4))


@pytest.mark.parametrize("m", [1, 2, 3, 5])
def test_growth_bounds_the_labelings_of_real_stumps(m: int) -> None:
    """Stumps on two real features give every labeling that some split of m points gives."""
    points = np.random.default_rng(0).random((m, 2))
    labelings = set()
    for column in points.T:
        for t in [*column, 2.0]:
            side = column < t
            labelings |= {tuple(np.where(side, a, b).tolist()) for a in (0, 1) for b in (0, 1)}
    _, _, growth, _ = size_up("tree", 2, 1, None, None, None, 2)
    assert math.log2(len(labelings)) <= growth(m) <= m


def test_growth_of_halfspaces_meets_the_dimension() -> None:
    words, size, growth, vc = size_up("linear", 4, None, None, None, 1, 2)
    assert (words, size, vc) == ("linear thresholds of 4 features", None, 5)
    assert growth(5) == 5
    assert growth(50) == pytest.approx(5 * math.log2(math.e * 10))
