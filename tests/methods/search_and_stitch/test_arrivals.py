from __future__ import annotations

import numpy as np
import pytest

from limbeck.core.column import Feature
from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.methods.search_and_stitch.arrivals import Arrivals
from limbeck.methods.search_and_stitch.costs import row_statistics
from limbeck.methods.search_and_stitch.literals import Literals, grid
from limbeck.methods.search_and_stitch.plan import PlannedTree
from limbeck.methods.search_and_stitch.sample import Sample
from limbeck.students.tree.tree import Tree


def test_leaves_hold_the_weighted_answers_of_their_rows():
    values = np.array([[0.0], [0.0], [1.0], [1.0]])
    features = Features((Feature("x"),))
    weight = np.array([1.0, 3.0, 1.0, 1.0])
    sample = Sample(
        Literals(grid(features, values)),
        values,
        row_statistics(np.array([0, 1, 1, 1]), Task((0, 1)), weight),
    )
    plan = PlannedTree(0, PlannedTree(), PlannedTree())
    nodes = Arrivals(sample, np.array([0, 1, 1, 1]), weight, Task((0, 1))).nodes(plan)
    np.testing.assert_allclose(nodes.value[nodes.left[0]], [0.25, 0.75])
    np.testing.assert_allclose(nodes.value[nodes.right[0]], [0, 1])
    numbers = Arrivals(sample, np.array([0.0, 4.0, 1.0, 2.0]), weight, Task()).nodes(plan)
    assert numbers.value[numbers.left[0]] == [3.0]
    assert numbers.value[numbers.right[0]] == [1.5]


@pytest.mark.parametrize("task", [Task((0, 1, 2)), Task()], ids=["classes", "number"])
def test_other_rows_are_told_what_the_tree_tells_them(task):
    """Of several trees that share their first questions, missing values among the rows."""
    rng = np.random.default_rng(0)
    values = np.where(rng.random((90, 3)) < 0.1, np.nan, rng.normal(size=(90, 3)))
    answers = rng.integers(0, 3, 60) if task.classifies else rng.normal(size=60)
    features = Features(tuple(map(Feature, "abc")))
    literals = Literals(grid(features, values, most=8))
    weight = rng.random(60)
    sample = Sample(literals, values[:60], row_statistics(answers, task, weight), weight)
    arrivals = Arrivals(sample, answers, weight, task, literals.truth(values[60:]))
    leaf = PlannedTree()
    small = PlannedTree(4, leaf, leaf)
    for plan in (leaf, small, PlannedTree(4, PlannedTree(20, leaf, leaf), leaf),
                 PlannedTree(20, small, leaf)):  # fmt: skip
        tree = Tree.from_nodes(arrivals.nodes(plan), features, task)
        rows = features.rows(values[60:])
        told = tree.predict_proba(rows) if task.classifies else tree.predict(rows)[:, None]
        np.testing.assert_array_equal(arrivals.said(plan), told)
