from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.special import comb

from limbeck.certificates.class_counts import (
    log2_binomial_sum,
    log2_halfspaces,
    log2_juntas,
    log2_m_of_n,
    log2_rule_lists,
    log2_scorecards,
    log2_trees,
)


def test_tree_counts_by_hand() -> None:
    assert log2_trees(7, leaves=3) == pytest.approx(math.log2(2 * 7**2 * 2**3))
    assert log2_trees(7, depth=2, classes=3) == pytest.approx(math.log2(7**3 * 3**4))
    assert log2_trees(7, depth=9, leaves=3) == log2_trees(7, leaves=3)


def test_other_counts_by_hand() -> None:
    assert log2_juntas(100, 3) == pytest.approx(math.log2(161_700 * 2**8))
    assert log2_rule_lists(4, rules=1, literals=1) == pytest.approx(math.log2((1 + 8) * 2 * 2))
    assert log2_rule_lists(2, 1, 5) == pytest.approx(math.log2(9 * 4))
    assert log2_m_of_n(4, 2) == pytest.approx(math.log2(2 + 8 + 6 * 4 * 2))
    assert log2_m_of_n(2, 9) == log2_m_of_n(2, 2)
    assert log2_scorecards(3, 1, 2) == pytest.approx(math.log2(2 + 3 * 4 * 6))


@pytest.mark.parametrize(("m", "d"), [(2, 1), (4, 1), (4, 2), (6, 2), (5, 3), (7, 3)])
def test_halfspaces_against_every_labeling(m: int, d: int) -> None:
    """Linear programs tell which labelings of points in general position a halfspace gives."""
    points = np.random.default_rng(0).normal(size=(m, d))
    rows = np.column_stack([points, np.ones(m)])
    found = sum(
        linprog(
            np.zeros(d + 1), A_ub=-np.array(signs)[:, None] * rows, b_ub=-np.ones(m),
            bounds=(None, None),
        ).success
        for signs in itertools.product([-1, 1], repeat=m)
    )  # fmt: skip
    assert log2_halfspaces(m, d) == pytest.approx(math.log2(found))


@pytest.mark.parametrize(("n", "k"), [(0, 0), (5, 9), (5, 2), (60, 7), (400, 199)])
def test_sums_of_binomials(n: int, k: int) -> None:
    exact = sum(comb(n, i, exact=True) for i in range(min(n, k) + 1))
    assert log2_binomial_sum(n, k) == pytest.approx(math.log2(exact))


def test_sums_of_binomials_of_very_many_rows() -> None:
    n, k = 2**50, 30
    exact = sum(math.comb(n, i) for i in range(k + 1))
    assert log2_binomial_sum(n, k) == pytest.approx(math.log2(exact), rel=1e-12)
