from __future__ import annotations

import numpy as np
import pytest

from limbeck.core.column import Feature
from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.methods.search_and_stitch.arrivals import Arrivals
from limbeck.methods.search_and_stitch.costs import row_statistics
from limbeck.methods.search_and_stitch.literals import Literals, grid
from limbeck.methods.search_and_stitch.plan import PlannedTree, literals_of, plan_of
from limbeck.methods.search_and_stitch.sample import Sample
from limbeck.students.tree.greedy import grow
from limbeck.students.tree.tree import Tree

FEATURES = Features(
    (Feature("x"), Feature("c", "categorical", levels=("r", "g", "b"))),
    frame=True,
    dtypes=("float64", "category"),
)


def made(seed, task, n=120):
    rng = np.random.default_rng(seed)
    values = np.c_[np.round(rng.normal(size=n), 1), rng.integers(0, 3, n)]
    values[rng.random(values.shape) < 0.15] = np.nan
    answers = rng.integers(0, 3, n) if task.classifies else rng.normal(size=n)
    return values, answers, rng.random(n) + 0.5


def greedy(values, answers, weight, task):
    return grow(
        FEATURES, values, answers, weight,
        classes=len(task.classes), max_leaves=9,
        criterion="gini" if task.classifies else "squared_error",
    )  # fmt: skip


@pytest.mark.parametrize("task", [Task(("a", "b", "c")), Task()], ids=["classes", "number"])
@pytest.mark.parametrize("seed", range(3))
def test_nodes_to_a_plan_and_back_are_the_same_tree(seed, task):
    values, answers, weight = made(seed, task)
    nodes = greedy(values, answers, weight, task)
    literals = Literals(grid(FEATURES, values) + literals_of(nodes))
    sample = Sample(literals, values, row_statistics(answers, task, weight))
    plan = plan_of(nodes, literals)
    assert plan.leaves == nodes.size == 9
    back = Arrivals(sample, answers, weight, task).nodes(plan)
    assert plan_of(back, literals) == plan
    one, two = (Tree.from_nodes(n, FEATURES, task) for n in (nodes, back))
    rows = FEATURES.decode(values)
    if task.classifies:
        np.testing.assert_allclose(two.predict_proba(rows), one.predict_proba(rows), atol=1e-9)
    else:
        np.testing.assert_allclose(two.predict(rows), one.predict(rows), atol=1e-9)
    # weights of the nodes are those of the rows that arrive
    assert back.weight[0] == pytest.approx(weight.sum())
    inner = np.flatnonzero(~back.is_leaf)
    np.testing.assert_allclose(
        back.weight[inner], back.weight[back.left[inner]] + back.weight[back.right[inner]]
    )


def test_a_leaf_is_a_plan():
    assert PlannedTree().leaves == 1
    assert PlannedTree(3, PlannedTree(), PlannedTree(1, PlannedTree(), PlannedTree())).leaves == 3
