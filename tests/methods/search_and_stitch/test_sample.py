from __future__ import annotations

import numpy as np
import pytest

from limbeck.core.column import Feature
from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.methods.search_and_stitch import sample as sample_room
from limbeck.methods.search_and_stitch.costs import COSTS, row_statistics
from limbeck.methods.search_and_stitch.literals import Literals, grid
from limbeck.methods.search_and_stitch.sample import Sample

TASKS = {
    "misclassification": Task(("a", "b", "c")),
    "gini": Task(("a", "b", "c")),
    "squared_error": Task(),
}


def made(seed, name, n=80, d=3):
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 5, (n, d)).astype(float)
    values[rng.random(values.shape) < 0.1] = np.nan
    task = TASKS[name]
    answers = rng.integers(0, 3, n) if task.classifies else rng.normal(size=n)
    weight = rng.random(n) + 0.5
    features = Features(tuple(Feature(f"x{j}") for j in range(d)))
    literals = Literals(grid(features, values))
    return Sample(literals, values, row_statistics(answers, task, weight))


def leaf(sample, rows, cost):
    """A leaf's cost, 0 where it has no rows."""
    return float(cost(sample.stats[:, rows].astype(np.float64).sum(axis=1)))


def best_split(sample, rows, cost):
    """The cheapest of no split and of every split."""
    found = [leaf(sample, rows, cost)]
    for truth in sample.truth[:, rows]:
        found.append(leaf(sample, rows[truth], cost) + leaf(sample, rows[~truth], cost))
    return min(found)


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("seed", range(3))
def test_one_split_by_brute_force(name, seed):
    sample, cost = made(seed, name), COSTS[name]
    rows = np.flatnonzero(np.random.default_rng(seed).random(len(sample)) < 0.7)
    found = sample.after_one(rows, cost)
    for truth, value in zip(sample.truth[:, rows], found, strict=True):
        if truth.all() or not truth.any():
            assert value == np.inf
        else:
            expected = leaf(sample, rows[truth], cost) + leaf(sample, rows[~truth], cost)
            assert value == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("seed", range(3))
def test_two_splits_by_brute_force(name, seed):
    sample, cost = made(seed, name), COSTS[name]
    assert len(sample.coarse) == len(sample.literals)
    rows = np.flatnonzero(np.random.default_rng(seed).random(len(sample)) < 0.7)
    [ahead] = sample.after_two(rows, (cost,), np.random.default_rng(0))
    for v, truth in enumerate(sample.truth[:, rows]):
        if truth.all() or not truth.any():
            assert ahead.total[v] == np.inf
            continue
        sides = rows[truth], rows[~truth]
        expected = sum(best_split(sample, side, cost) for side in sides)
        assert ahead.total[v] == pytest.approx(expected, abs=1e-3)
        # the second literals that it names reach that cost
        reached = 0.0
        for side, second in zip(sides, (ahead.left[v], ahead.right[v]), strict=True):
            if second < 0:
                reached += leaf(sample, side, cost)
            else:
                to = sample.truth[second, side]
                reached += leaf(sample, side[to], cost) + leaf(sample, side[~to], cost)
        assert reached == pytest.approx(expected, abs=1e-3)


def test_a_parity_needs_two_looks():
    values = np.array([[a, b] for a in (0.0, 1.0) for b in (0.0, 1.0)] * 5)
    answers = (values[:, 0] != values[:, 1]).astype(int)
    features = Features((Feature("a"), Feature("b")))
    stats = row_statistics(answers, Task((0, 1)), np.ones(20))
    sample = Sample(Literals(grid(features, values)), values, stats)
    rows, cost = np.arange(20), COSTS["gini"]
    np.testing.assert_allclose(sample.after_one(rows, cost), 10.0)
    [ahead] = sample.after_two(rows, (cost,), np.random.default_rng(0))
    np.testing.assert_allclose(ahead.total, 0.0, atol=1e-6)
    assert ahead.left.tolist() == ahead.right.tolist() == [1, 0]


def test_a_side_that_is_pure_needs_no_second_literal():
    values = np.arange(8.0)[:, None]
    stats = row_statistics((values[:, 0] > 3).astype(int), Task((0, 1)), np.ones(8))
    sample = Sample(Literals(grid(Features((Feature("x"),)), values)), values, stats)
    [ahead] = sample.after_two(np.arange(8), (COSTS["gini"],), np.random.default_rng(0))
    middle = next(i for i, t in enumerate(sample.literals.items) if t.threshold == 3.5)
    assert ahead.total[middle] == 0
    assert (ahead.left[middle], ahead.right[middle]) == (-1, -1)
    assert ahead.left[0] == -1  # x <= 0.5 leaves the other side to be split
    assert ahead.right[0] == middle


def test_totals_are_sums_of_rows():
    sample = made(0, "gini")
    rows = np.array([1, 5, 9, 20])
    np.testing.assert_allclose(sample.total(rows), sample.stats[:, rows].sum(axis=1), rtol=1e-6)


def test_a_share_of_very_many_rows_estimates_their_cost(monkeypatch):
    rng = np.random.default_rng(0)
    values = rng.normal(size=(20_000, 2))
    answers = ((values[:, 0] > 0) ^ (rng.random(20_000) < 0.1)).astype(int)
    features = Features((Feature("a"), Feature("b")))
    stats = row_statistics(answers, Task((0, 1)), np.ones(20_000))
    sample = Sample(Literals(grid(features, values)), values, stats)
    rows, cost = np.arange(20_000), COSTS["misclassification"]
    [exact] = sample.after_two(rows, (cost,), rng)
    monkeypatch.setattr(sample_room, "_MOST_OPERATIONS", 1.0)
    [part] = sample.after_two(rows, (cost,), rng)
    assert (part.total != exact.total).any()  # fewer rows were used
    np.testing.assert_allclose(part.total, exact.total, rtol=0.15)


def test_a_part_keeps_heavy_rows_and_sums_in_expectation(monkeypatch):
    rng = np.random.default_rng(0)
    values = rng.normal(size=(6000, 2))
    answers = (values[:, 0] > 0).astype(int)
    weight = np.repeat([30.0, 0.5], [100, 5900])
    features = Features((Feature("a"), Feature("b")))
    stats = row_statistics(answers, Task((0, 1)), weight)
    sample = Sample(Literals(grid(features, values)), values, stats, weight)
    all_rows = np.arange(6000)
    sums = []
    for _ in range(60):
        rows, scale = sample.part(all_rows, 1000, rng)
        assert set(range(100)) <= set(rows.tolist())
        assert (scale[rows < 100] == 1).all()
        assert 900 < len(rows) < 1100
        sums.append((stats[:, rows] * scale).sum(axis=1))
    np.testing.assert_allclose(np.mean(sums, axis=0), stats.sum(axis=1), rtol=0.01)
    rows, scale = sample.part(all_rows, 6000, rng)
    assert len(rows) == 6000
    assert (scale == 1).all()


def test_the_coarse_grid_spreads_over_every_feature():
    values = np.random.default_rng(0).normal(size=(300, 40))
    features = Features(tuple(Feature(f"x{j}") for j in range(40)))
    literals = Literals(grid(features, values))
    sample = Sample(
        literals, values, row_statistics(np.zeros(300, int), Task((0, 1)), np.ones(300))
    )
    np.testing.assert_array_equal(np.bincount(literals.feature[sample.coarse]), 4)
    first = sample.coarse[:4]
    assert {int(first[0]), int(first[-1])} == {0, int(np.flatnonzero(literals.feature == 0)[-1])}


@pytest.mark.parametrize("name", TASKS)
def test_a_first_split_that_gains_nothing_is_found_among_many_columns(name):
    """Of 600 booleans one says which of two others decides; by itself it says nothing."""
    for seed in range(4):
        rng = np.random.default_rng(seed)
        values = rng.integers(0, 2, (400, 600)).astype(float)
        which, a, b = rng.choice(600, 3, replace=False)
        answers = np.where(values[:, which] == 1, values[:, a], values[:, b]).astype(int)
        task = TASKS[name]
        literals = Literals(grid(Features(tuple(Feature(f"x{j}") for j in range(600))), values))
        target = answers if task.classifies else answers.astype(float)
        sample = Sample(literals, values, row_statistics(target, task, np.ones(400)))
        rows = np.arange(400)
        alone = np.argsort(sample.after_one(rows, COSTS[name]), kind="stable")
        rank = literals.feature[alone].tolist().index(which)
        [look] = sample.after_two(rows, (COSTS[name],), rng)
        best = int(look.total.argmin())
        assert literals.feature[best] == which, (seed, rank)
        assert look.total[best] == pytest.approx(0, abs=1e-2)
        assert {literals.feature[look.left[best]], literals.feature[look.right[best]]} == {a, b}
