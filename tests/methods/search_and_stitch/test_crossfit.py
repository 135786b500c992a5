from __future__ import annotations

import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.methods.search_and_stitch.crossfit import greedy, inside, losses_by_size, row_losses


def rows_of(X):
    return Features.of(X).rows(X)


def made(classifies, n=300, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4)).astype(np.float32).astype(float)
    y = X[:, 0] * X[:, 1] + 0.5 * X[:, 2] + 0.2 * rng.normal(size=n)
    return X, (y > 0).astype(int) if classifies else y


def test_a_query_is_inside_a_fold_if_any_source_is():
    fold = np.array([0, 1, 2])
    sources = np.array([[0, 1], [1, 2], [2, 2]])
    assert inside(fold, sources, 1).tolist() == [True, True, False]
    assert inside(fold, np.zeros((2, 0), dtype=int), 1).tolist() == [False, False]


@pytest.mark.parametrize("classifies", [True, False])
def test_a_tree_cut_back_is_the_tree_grown_to_that_size(classifies):
    X, y = made(classifies)
    fresh, truth = made(classifies, seed=1)
    task = Task((0, 1)) if classifies else Task()
    weight = np.random.default_rng(2).random(len(X)) + 0.1
    nodes = greedy(Features.of(X), X, y, weight, task, 12)
    losses = losses_by_size(nodes, fresh, truth, task, 12)
    peer = DecisionTreeClassifier if classifies else DecisionTreeRegressor
    assert losses.shape == (12, len(fresh))
    for leaves in range(2, 13):
        grown = peer(max_leaf_nodes=leaves, random_state=0).fit(X, y, weight)
        said = grown.predict(fresh)
        expected = (said != truth) if classifies else (said - truth) ** 2
        np.testing.assert_allclose(losses[leaves - 1], expected, rtol=1e-9)
    alone = np.bincount(y, weight).argmax() if classifies else np.average(y, weights=weight)
    expected = (alone != truth) if classifies else (alone - truth) ** 2
    np.testing.assert_allclose(losses[0], expected, rtol=1e-9)


def test_sizes_beyond_a_pure_tree_repeat_it():
    X, y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0, 0, 1, 1])
    nodes = greedy(Features.of(X), X, y, np.ones(4), Task((0, 1)), 4)
    np.testing.assert_array_equal(
        losses_by_size(nodes, X, y, Task((0, 1)), 4).sum(axis=1), [2, 0, 0, 0]
    )


def test_row_losses():
    shares = np.array([[0.2, 0.8], [0.9, 0.1]])
    assert row_losses(shares, np.array([1, 1]), Task((0, 1))).tolist() == [0.0, 1.0]
    assert row_losses(np.array([[2.0]]), np.array([5.0]), Task()).tolist() == [9.0]
