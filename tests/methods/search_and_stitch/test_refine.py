from __future__ import annotations

import numpy as np
import pytest

from limbeck.core.column import Feature
from limbeck.core.columns import Features
from limbeck.core.progress import quiet
from limbeck.core.task import Task
from limbeck.methods.search_and_stitch.costs import COSTS, row_statistics
from limbeck.methods.search_and_stitch.literals import Literals, grid
from limbeck.methods.search_and_stitch.plan import literals_of, plan_of
from limbeck.methods.search_and_stitch.polish import polish
from limbeck.methods.search_and_stitch.pool import Pool
from limbeck.methods.search_and_stitch.refine import look_ahead, refine
from limbeck.methods.search_and_stitch.sample import Sample
from limbeck.students.tree.greedy import grow


def greedy_pool(values, answers, task, leaves=8):
    features = Features(tuple(Feature(f"x{j}") for j in range(values.shape[1])))
    n, weight = len(values), np.ones(len(values))
    nodes = grow(
        features, values, answers, weight,
        classes=len(task.classes), max_leaves=leaves,
        criterion="gini" if task.classifies else "squared_error",
    )  # fmt: skip
    literals = Literals(grid(features, values) + literals_of(nodes))
    sample = Sample(literals, values, row_statistics(answers, task, weight))
    cost = COSTS["misclassification" if task.classifies else "squared_error"]
    pool = Pool(sample, cost, leaves)
    pool.add(plan_of(nodes, literals))
    assert len(sample) == n
    return pool, COSTS["gini" if task.classifies else "squared_error"]


@pytest.mark.parametrize("classifies", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_no_size_gets_worse_and_most_get_better(seed, classifies):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(600, 4))
    signal = np.sin(3 * values[:, 0]) * values[:, 1] + values[:, 2]
    answers = (signal > 0).astype(int) if classifies else signal
    pool, impurity = greedy_pool(values, answers, Task((0, 1)) if classifies else Task())
    before = pool.stitch()
    refine(pool, impurity, classifies, rng, quiet)
    after = pool.stitch()
    assert (after <= before + 1e-6).all()
    assert (after < before - 1e-3).sum() >= 3


def test_a_checkerboard_is_solved_where_greed_fails():
    rng = np.random.default_rng(0)
    values = rng.uniform(-1, 1, size=(1500, 4))
    answers = ((values[:, 1] > 0) ^ (values[:, 3] > 0)).astype(int)
    pool, impurity = greedy_pool(values, answers, Task((0, 1)), leaves=4)
    assert pool.stitch()[3] > 300
    refine(pool, impurity, True, rng, quiet)
    # thresholds are 32 quantiles a column: each misplaces at most 1 / 66 of the rows
    assert pool.stitch()[3] < 3 * 1500 / 66


def test_without_literals_there_is_nothing_to_refine():
    values, answers = np.ones((30, 2)), np.arange(30) % 2
    pool, impurity = greedy_pool(values, answers, Task((0, 1)))
    refine(pool, impurity, True, np.random.default_rng(0), quiet)
    np.testing.assert_array_equal(pool.stitch(), 15.0)


def test_progress_is_told_each_round_and_may_interrupt():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(300, 3))
    answers = (values[:, 0] * values[:, 1] > 0).astype(int)
    pool, impurity = greedy_pool(values, answers, Task((0, 1)))
    told = []

    def progress(stage, done, total):
        told.append((stage, done, total))
        raise KeyboardInterrupt

    before = pool.stitch()
    with pytest.raises(KeyboardInterrupt):
        refine(pool, impurity, True, rng, progress)
    assert told == [("stitching", 0, 4)]
    assert (pool.stitch() <= before).all()


def test_lookahead_alone_solves_a_checkerboard():
    rng = np.random.default_rng(1)
    values = rng.choice([-1.0, 1.0], size=(400, 6))
    answers = (values[:, 1] * values[:, 3] > 0).astype(int)
    pool, impurity = greedy_pool(values, answers, Task((0, 1)), leaves=4)
    assert pool.stitch()[3] > 0
    refine(pool, impurity, True, rng, quiet, rounds=0)
    assert pool.stitch()[3] == 0


def test_polished_trees_are_kept():
    polished = 0
    for seed in range(6):
        rng = np.random.default_rng(seed)
        values = rng.normal(size=(300, 4))
        answers = (np.sin(3 * values[:, 0]) + values[:, 1] > 0).astype(int)
        pool, impurity = greedy_pool(values, answers, Task((0, 1)), leaves=8)
        refine(pool, impurity, True, rng, quiet, rounds=0)
        pool.stitch()
        better = polish(pool.best(8), pool.sample, True)
        refine(pool, impurity, True, rng, quiet, rounds=1)
        count = pool.n_splits
        for plan in better:
            polished += 1
            pool.add(plan)
        assert pool.n_splits == count  # they were there already
    assert polished >= 3


class Counted(Sample):
    """A sample that keeps which rows were looked at two splits ahead."""

    looked: list[bytes]

    def after_two(self, rows, costs, rng):
        self.looked.append(rows.tobytes())
        return super().after_two(rows, costs, rng)


@pytest.mark.parametrize("cost", ["squared_error", "misclassification"])
def test_no_rows_are_looked_ahead_from_twice(cost):
    rng = np.random.default_rng(0)
    values = rng.normal(size=(150, 3))
    answers = values[:, 0] * values[:, 1] + values[:, 2]
    task = Task() if cost == "squared_error" else Task((0, 1))
    told = row_statistics(answers if not task.classifies else answers > 0, task, np.ones(150))
    features = Features(tuple(Feature(f"x{j}") for j in range(3)))
    sample = Counted(Literals(grid(features, values)), values, told)
    sample.looked = []
    pool = Pool(sample, COSTS[cost], 16)
    look_ahead(pool, pool.root, 16, COSTS["gini" if task.classifies else cost], rng)
    assert 1 < len(sample.looked) == len(set(sample.looked))
