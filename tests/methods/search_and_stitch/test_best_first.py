from __future__ import annotations

import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.methods.search_and_stitch.best_first import best_first
from limbeck.methods.search_and_stitch.binned import BinnedRows
from limbeck.methods.search_and_stitch.costs import COSTS, row_statistics
from limbeck.methods.search_and_stitch.literals import Literals, grid
from limbeck.students.tree.tree import Tree


def grown(X, y, weight, task, leaves):
    literals = Literals(grid(Features.of(X), X, limit=10_000, most=1000))
    data = BinnedRows(literals, X, row_statistics(y, task, weight))
    cost = COSTS["gini" if task.classifies else "squared_error"]
    return best_first(data, np.arange(len(X)), cost, y, weight, len(task.classes), leaves)


@pytest.mark.parametrize("classifies", [True, False])
@pytest.mark.parametrize("leaves", [2, 5, 12])
def test_with_every_threshold_it_is_the_tree_of_scikit_learn(classifies, leaves):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 3))
    score = X[:, 0] + X[:, 1] * (X[:, 2] > 0) + 0.1 * rng.normal(size=150)
    y = np.digitize(score, [-0.5, 0.7]) if classifies else score
    weight, task = rng.random(150) + 0.1, Task((0, 1, 2)) if classifies else Task()
    ours = Tree.from_nodes(grown(X, y, weight, task, leaves), Features.of(X), task)
    peer = DecisionTreeClassifier if classifies else DecisionTreeRegressor
    theirs = peer(max_leaf_nodes=leaves, random_state=0).fit(X, y, weight)
    assert ours.size == leaves
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-6)


def test_smaller_trees_come_first_and_values_are_weighted():
    X, y = np.arange(6.0)[:, None], np.array([0, 0, 0, 1, 1, 2])
    nodes = grown(X, y, np.array([1.0, 1, 1, 1, 1, 5]), Task((0, 1, 2)), 3)
    assert (nodes.left[0], nodes.right[0]) == (1, 2)
    assert nodes.left[1] == 3
    np.testing.assert_allclose(nodes.value[0], [0.3, 0.2, 0.5])
    assert nodes.weight.tolist() == [10, 5, 5, 3, 2]


def test_nothing_to_gain_is_one_leaf():
    X = np.zeros((5, 1))
    assert len(grown(X, np.array([0, 1, 0, 1, 0]), np.ones(5), Task((0, 1)), 4)) == 1
    assert len(grown(np.arange(5.0)[:, None], np.zeros(5, int), np.ones(5), Task((0, 1)), 4)) == 1
