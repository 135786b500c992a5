from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from limbeck.core.column import Feature
from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.methods.search_and_stitch.costs import COSTS, row_statistics
from limbeck.methods.search_and_stitch.literals import Literals, grid
from limbeck.methods.search_and_stitch.plan import PlannedTree, literals_of, plan_of
from limbeck.methods.search_and_stitch.pool import Pool
from limbeck.methods.search_and_stitch.sample import Sample
from limbeck.students.tree.greedy import grow

CLASSES, NUMBER = Task((0, 1, 2)), Task()


def made(seed, task, n=60, d=3, levels=4):
    rng = np.random.default_rng(seed)
    values = rng.integers(0, levels, (n, d)).astype(float)
    answers = rng.integers(0, 3, n) if task.classifies else rng.normal(size=n)
    features = Features(tuple(Feature(f"x{j}") for j in range(d)))
    literals = Literals(grid(features, values))
    return Sample(literals, values, row_statistics(answers, task, np.ones(n)))


def cost_of(task):
    return COSTS["misclassification" if task.classifies else "squared_error"]


def random_splits(pool, rng, count):
    """Keep random splits; return them as {rows: {literal: (rows, rows)}} of plain tuples."""
    kept = {}
    clauses = [pool.root]
    while count:
        clause = clauses[int(rng.integers(len(clauses)))]
        literal = int(rng.integers(len(pool.sample.literals)))
        children = pool.split(clause, literal)
        count -= 1
        if children is not None:
            rows = tuple(pool.rows(clause).tolist())
            kept.setdefault(rows, {})[literal] = tuple(
                tuple(pool.rows(c).tolist()) for c in children
            )
            clauses += children
    return kept


def all_trees(rows, kept, leaf, most):
    """(leaves, cost) of every tree below a set of rows, by plain recursion."""
    yield 1, leaf(rows)
    for left, right in kept.get(rows, {}).values():
        for m, a in all_trees(left, kept, leaf, most - 1):
            for k, b in all_trees(right, kept, leaf, most - m):
                if m + k <= most:
                    yield m + k, a + b


def routed(plan, sample, cost):
    """The cost of a plan by sending every row down."""

    def below(plan, rows):
        if plan.left is None:
            return float(cost(sample.stats[:, rows].astype(float).sum(axis=1)))
        told = sample.truth[plan.literal, rows]
        return below(plan.left, rows[told]) + below(plan.right, rows[~told])

    return below(plan, np.arange(len(sample)))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.booleans(), st.integers(1, 6))
def test_the_frontier_is_that_of_all_trees_in_the_pool(seed, classes, most):
    task = CLASSES if classes else NUMBER
    sample, cost = made(seed, task), cost_of(task)
    pool = Pool(sample, cost, most)
    kept = random_splits(pool, np.random.default_rng(seed), 14)
    found = pool.stitch()

    def leaf(rows):
        return float(cost(sample.stats[:, list(rows)].astype(float).sum(axis=1)))

    root = tuple(range(len(sample)))
    trees = list(all_trees(root, kept, leaf, most))
    expected = [min(c for m, c in trees if m <= size) for size in range(1, most + 1)]
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert (np.diff(found) <= 0).all()
    for size in range(1, most + 1):
        plan = pool.best(size)
        assert plan.leaves <= size
        assert routed(plan, sample, cost) == pytest.approx(found[size - 1], abs=1e-4)
        smallest = min(m for m, c in trees if c <= expected[size - 1] + 1e-6)
        assert plan.leaves == smallest  # no leaf without a gain


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_stitching_again_after_more_splits_is_stitching_once(seed):
    sample, cost = made(seed, CLASSES), cost_of(CLASSES)
    again, once = Pool(sample, cost, 6), Pool(sample, cost, 6)
    rng = np.random.default_rng(seed)
    for _ in range(4):
        before = again.stitch()
        random_splits(again, rng, 8)
        assert (again.stitch() <= before + 1e-9).all()
    rng = np.random.default_rng(seed)
    for _ in range(4):
        random_splits(once, rng, 8)
    np.testing.assert_allclose(once.stitch(), again.stitch(), atol=1e-9)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("classifies", [True, False])
def test_never_worse_than_the_greedy_tree_at_any_size(seed, classifies):
    rng = np.random.default_rng(seed)
    n, task = 500, CLASSES if classifies else NUMBER
    values = rng.normal(size=(n, 4)).astype(np.float32).astype(float)
    signal = np.sin(2 * values[:, 0]) + values[:, 1] * values[:, 2] + 0.3 * rng.normal(size=n)
    answers = np.digitize(signal, [-0.5, 0.5]) if classifies else signal
    features = Features(tuple(Feature(f"x{j}") for j in range(4)))
    greedy = grow(
        features, values, answers, np.ones(n),
        classes=3 if classifies else 0, max_leaves=16,
        criterion="gini" if classifies else "squared_error",
    )  # fmt: skip
    literals = Literals(grid(features, values) + literals_of(greedy))
    sample = Sample(literals, values, row_statistics(answers, task, np.ones(n)))
    pool = Pool(sample, cost_of(task), 16)
    pool.add(plan_of(greedy, literals))
    frontier = pool.stitch()
    peer = DecisionTreeClassifier if classifies else DecisionTreeRegressor
    for size in range(2, 17):
        tree = peer(max_leaf_nodes=size, random_state=0).fit(values, answers)
        said = tree.predict(values)
        if classifies:
            theirs = float((said != answers).sum())
        else:
            theirs = float(((said - answers) ** 2).sum() / answers.var())
        assert frontier[size - 1] <= theirs * (1 + 1e-4) + 1e-6, size
    if not classifies:  # and what the last one costs is what sklearn says: same tree
        assert frontier[-1] == pytest.approx(theirs, rel=1e-3)


def test_clauses_that_say_the_same_are_one():
    values = np.c_[np.arange(8.0), np.arange(8.0)]
    sample = Sample(
        Literals(grid(Features((Feature("a"), Feature("b"))), values)),
        values,
        row_statistics(np.arange(8) % 2, Task((0, 1)), np.ones(8)),
    )
    pool = Pool(sample, COSTS["gini"], 4)
    same = len(sample.literals) // 2
    assert pool.split(pool.root, 0) == pool.split(pool.root, same)
    assert len(pool) == 3
    assert pool.n_splits == 2
    left, right = pool.split(pool.root, 0)
    assert pool.split(left, 3) is None  # one row cannot be split
    assert pool.rows(left).tolist() == [0]
    assert pool.rows(right).tolist() == list(range(1, 8))


def test_a_pool_of_few_rows_still_has_a_frontier_of_every_size():
    sample = made(0, CLASSES, n=5)
    pool = Pool(sample, cost_of(CLASSES), 16)
    frontier = pool.stitch()
    assert frontier.shape == (16,)
    assert (frontier == pool.leaf_cost(pool.root)).all()
    assert pool.best(16) == PlannedTree()


def test_a_branch_without_rows_is_left_out_when_a_tree_is_added():
    sample = made(3, CLASSES)
    low = next(i for i, t in enumerate(sample.literals.items) if t.threshold == 0.5)
    high = next(i for i, t in enumerate(sample.literals.items) if t.threshold == 2.5)
    pool = Pool(sample, cost_of(CLASSES), 8)
    inner = PlannedTree(len(sample.literals) - 1, PlannedTree(), PlannedTree())
    # below x0 <= 0.5, x0 <= 2.5 is always true: the right branch is never met
    pool.add(
        PlannedTree(
            low,
            PlannedTree(high, inner, PlannedTree(low, PlannedTree(), PlannedTree())),
            PlannedTree(),
        )
    )
    left, _ = pool.split(pool.root, low)
    assert pool.n_splits == 2
    assert pool.split(left, len(sample.literals) - 1) is not None
    assert pool.n_splits == 2  # it was there already
