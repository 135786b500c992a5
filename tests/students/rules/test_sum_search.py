from __future__ import annotations

import numpy as np
import pytest

from limbeck.core.columns import Features
from limbeck.students.rules.candidates import CandidateTrees
from limbeck.students.rules.search import RuleLimits
from limbeck.students.rules.sum_search import SumSearch, fitted_sum


def test_values_are_those_of_least_squares():
    rng = np.random.default_rng(0)
    truth, w = rng.random((400, 3)) < 0.4, rng.random(400) + 0.5
    y = truth @ [3.0, -2.0, 0.5] + 7 + rng.normal(size=400)
    design = np.column_stack([truth, np.ones(400)]) * np.sqrt(w)[:, None]
    expected = np.linalg.lstsq(design, y * np.sqrt(w), rcond=None)[0]
    assert fitted_sum(truth, y, w) == pytest.approx(expected, abs=1e-4)


def test_rules_that_add_up_are_found():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 4))
    y = 5.0 * (X[:, 0] > 0.5) - 3.0 * (X[:, 1] <= 0)
    trees = CandidateTrees(Features.of(X), X, y, np.ones(600), 0, 2)
    lists = SumSearch(trees, trees.first(10, rng), RuleLimits(5), rng).path()
    clauses = trees_clauses(lists[2], trees, rng)
    left = y - np.column_stack([clauses, np.ones(600)]) @ fitted_sum(clauses, y, np.ones(600))
    assert np.abs(left).max() < 0.01


def trees_clauses(some, trees, rng) -> np.ndarray:
    again = np.random.default_rng(0)
    again.normal(size=(600, 4))
    search = SumSearch(trees, trees.first(10, again), RuleLimits(5), again)
    assert search.path()[2] == some  # the same seed, the same rules
    return search.candidates.rows[:, list(some)] > 0
