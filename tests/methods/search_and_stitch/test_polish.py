from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from limbeck.core.column import Feature
from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.methods.search_and_stitch.costs import COSTS, row_statistics
from limbeck.methods.search_and_stitch.literals import Literals, grid
from limbeck.methods.search_and_stitch.plan import PlannedTree
from limbeck.methods.search_and_stitch.polish import polish
from limbeck.methods.search_and_stitch.sample import Sample


def sample_of(values, answers, task):
    features = Features(tuple(Feature(f"x{j}") for j in range(values.shape[1])))
    stats = row_statistics(answers, task, np.ones(len(values)))
    return Sample(Literals(grid(features, values)), values, stats)


def random_plan(rng, literals, leaves):
    if leaves == 1:
        return PlannedTree()
    left = int(rng.integers(1, leaves))
    return PlannedTree(
        int(rng.integers(literals)),
        random_plan(rng, literals, left),
        random_plan(rng, literals, leaves - left),
    )


def routed(plan, sample, cost):
    def below(plan, rows):
        if plan.left is None:
            return float(cost(sample.stats[:, rows].astype(float).sum(axis=1)))
        told = sample.truth[plan.literal, rows]
        return below(plan.left, rows[told]) + below(plan.right, rows[~told])

    return below(plan, np.arange(len(sample)))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.booleans(), st.integers(2, 8))
def test_the_cost_never_rises(seed, classifies, leaves):
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 6, (100, 3)).astype(float)
    task = Task((0, 1, 2)) if classifies else Task()
    answers = rng.integers(0, 3, 100) if classifies else values[:, 0] + rng.normal(size=100)
    sample = sample_of(values, answers, task)
    plan = random_plan(rng, len(sample.literals), leaves)
    cost = COSTS["misclassification" if classifies else "squared_error"]
    costs = [routed(p, sample, cost) for p in [plan, *polish(plan, sample, classifies)]]
    assert all(b <= a + 1e-4 for a, b in itertools.pairwise(costs)), costs


def shifted(values, thresholds, sample):
    """The tree x0 <= a, with x1 <= b on the left and x2 <= c on the right."""
    where = {(t.feature, t.threshold): i for i, t in enumerate(sample.literals.items)}
    root, left, right = (where[(j, t)] for j, t in enumerate(thresholds))
    return PlannedTree(
        root,
        PlannedTree(left, PlannedTree(), PlannedTree()),
        PlannedTree(right, PlannedTree(), PlannedTree()),
    )


def test_shifted_thresholds_are_put_right():
    rng = np.random.default_rng(0)
    values = rng.integers(0, 10, (2000, 3)).astype(float)
    a, b, c = (values[:, j] <= t for j, t in enumerate((4.5, 2.5, 6.5)))
    for task, answers in (
        (Task((0, 1)), np.where(a, b, ~c).astype(int)),
        (Task(), np.where(a, np.where(b, 0.0, 5.0), np.where(c, 9.0, 2.0))),
    ):
        sample = sample_of(values, answers, task)
        start = shifted(values, (3.5, 4.5, 5.5), sample)
        found = polish(start, sample, task.classifies)
        assert found[-1] == shifted(values, (4.5, 2.5, 6.5), sample)
        assert polish(found[-1], sample, task.classifies) == []  # nothing left to gain


def test_a_leaf_stays_a_leaf():
    sample = sample_of(np.arange(6.0)[:, None], np.arange(6) % 2, Task((0, 1)))
    assert polish(PlannedTree(), sample, True) == []


def test_sweeps_limit_the_passes():
    rng = np.random.default_rng(5)
    values = rng.integers(0, 10, (500, 3)).astype(float)
    answers = (values.sum(axis=1) > 13).astype(int)
    sample = sample_of(values, answers, Task((0, 1)))
    longest = 0
    for _ in range(20):
        plan = random_plan(rng, len(sample.literals), 6)
        many = polish(plan, sample, True)
        longest = max(longest, len(many))
        assert polish(plan, sample, True, sweeps=1) == many[:1]
    assert longest >= 2
