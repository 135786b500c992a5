from __future__ import annotations

import itertools
import time

import numpy as np
import pytest

from limbeck.core.column import Feature
from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.methods.optimal_search import OptimalSearch
from limbeck.methods.search_and_stitch.costs import COSTS, row_statistics
from limbeck.methods.search_and_stitch.literals import Literals, grid
from limbeck.methods.search_and_stitch.sample import Sample


def made(seed, classifies, n=40, d=3):
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 3, (n, d)).astype(float)
    task = Task((0, 1)) if classifies else Task()
    y = rng.integers(0, 2, n) if classifies else rng.normal(size=n)
    features = Features(tuple(Feature(f"x{j}") for j in range(d)))
    weight = rng.random(n) + 0.5
    return Sample(Literals(grid(features, X)), X, row_statistics(y, task, weight), weight)


def brute(sample, cost, rows, leaves, depth):
    """The least cost over all trees, one by one."""
    best = float(cost(sample.stats[:, rows].astype(float).sum(axis=1)))
    if leaves < 2 or depth == 0:
        return best
    for truth in sample.truth[:, rows]:
        if truth.all() or not truth.any():
            continue
        for left in range(1, leaves):
            best = min(best, brute(sample, cost, rows[truth], left, depth - 1)
                       + brute(sample, cost, rows[~truth], leaves - left, depth - 1))  # fmt: skip
    return best


def costs(sample, cost, plan, rows):
    if plan.left is None:
        return float(cost(sample.stats[:, rows].astype(float).sum(axis=1)))
    inside = sample.truth[plan.literal, rows]
    return costs(sample, cost, plan.left, rows[inside]) + costs(
        sample, cost, plan.right, rows[~inside]
    )


@pytest.mark.parametrize("name", ["misclassification", "gini", "squared_error"])
@pytest.mark.parametrize(("seed", "depth"), [(0, 1), (1, 2), (2, 3)])
def test_no_tree_is_better(name, seed, depth):
    sample, cost = made(seed, name != "squared_error"), COSTS[name]
    search = OptimalSearch(sample, cost, 5, depth, time.monotonic() + 60)
    rows = np.arange(len(sample))
    for leaves, plan in enumerate(search.trees(), start=1):
        assert plan.leaves <= leaves
        expected = brute(sample, cost, rows, leaves, depth)
        assert costs(sample, cost, plan, rows) == pytest.approx(expected, abs=1e-4)
    assert search.proven


def test_a_limit_is_kept_and_said():
    sample = made(0, True, 200, 6)
    search = OptimalSearch(sample, COSTS["misclassification"], 8, 4, time.monotonic())
    plans = search.trees()
    assert not search.proven
    assert [p.leaves for p in plans] == sorted(p.leaves for p in plans)
    known = [costs(sample, COSTS["misclassification"], p, np.arange(200)) for p in plans]
    assert all(b <= a + 1e-6 for a, b in itertools.pairwise(known))


def test_no_questions_are_one_leaf():
    sample = made(0, True, 20, 1)
    empty = sample.only(np.zeros(0, dtype=np.int64))
    plans = OptimalSearch(empty, COSTS["gini"], 4, 3, time.monotonic() + 9).trees()
    assert {p.leaves for p in plans} == {1}


def test_no_side_of_a_question_is_empty():
    """Rounding never makes a question that splits nothing look better than a leaf."""
    rng = np.random.default_rng(0)
    X = rng.integers(0, 3, (300, 4)).astype(float)
    y = np.repeat([1e4, 2e4, 3e4], 100) + X[:, 0]
    features = Features(tuple(Feature(f"x{j}") for j in range(4)))
    weight = rng.random(300) * 3 + 0.01
    sample = Sample(Literals(grid(features, X)), X, row_statistics(y, Task(), weight), weight)
    for plan in OptimalSearch(sample, COSTS["squared_error"], 8, 3, time.monotonic() + 60).trees():
        parts = [np.arange(300)]
        stack = [(plan, parts[0])]
        while stack:
            node, rows = stack.pop()
            assert len(rows)
            if node.left is not None:
                inside = sample.truth[node.literal, rows]
                stack += [(node.left, rows[inside]), (node.right, rows[~inside])]
