from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task
from limbeck.methods.search_and_stitch.costs import COSTS, cost_named, row_statistics

THREE = Task(("a", "b", "c"))
CLASSIFYING = ["misclassification", "gini", "log_loss"]


def leaf_sums(stats):
    return stats.sum(axis=1, dtype=np.float64)


def test_hand_values():
    leaf = np.array([3.0, 1.0, 0.0])
    assert COSTS["misclassification"](leaf) == 1.0
    assert COSTS["gini"](leaf) == pytest.approx(4 * (1 - 9 / 16 - 1 / 16))
    assert COSTS["log_loss"](leaf) == pytest.approx(-3 * np.log(0.75) - np.log(0.25))
    # values 1, 2, 6: the mean is 3 and the squared deviations are 4, 1, 9
    assert COSTS["squared_error"](np.array([3.0, 9.0, 41.0])) == pytest.approx(14.0)


@pytest.mark.parametrize("name", CLASSIFYING)
def test_empty_and_pure_leaves_cost_nothing(name):
    leaves = np.array([[0.0, 5.0], [0.0, 0.0], [0.0, 0.0]])
    np.testing.assert_array_equal(COSTS[name](leaves), [0.0, 0.0])


@pytest.mark.parametrize(("name", "criterion"), [("gini", "gini"), ("log_loss", "entropy")])
def test_sklearn_impurities_at_every_node(name, criterion):
    rng = np.random.default_rng(0)
    X, y, w = rng.normal(size=(200, 3)), rng.integers(0, 3, 200), rng.random(200) + 0.1
    peer = DecisionTreeClassifier(criterion=criterion, max_leaf_nodes=8, random_state=0)
    tree = peer.fit(X, y, sample_weight=w).tree_
    inside = peer.decision_path(X).toarray().astype(bool)
    stats = row_statistics(y, THREE, w)
    bits = np.log(2) if criterion == "entropy" else 1.0
    for i in range(tree.node_count):
        expected = tree.impurity[i] * bits * tree.weighted_n_node_samples[i]
        assert COSTS[name](leaf_sums(stats[:, inside[:, i]])) == pytest.approx(expected, abs=1e-3)


def test_squared_error_is_the_weighted_variance_that_sklearn_sees():
    rng = np.random.default_rng(1)
    X, w = rng.normal(size=(300, 2)), rng.random(300) + 0.1
    y = 1000 + 3 * X[:, 0] + rng.normal(size=300)
    peer = DecisionTreeRegressor(max_leaf_nodes=6, random_state=0).fit(X, y, sample_weight=w)
    inside = peer.decision_path(X).toarray().astype(bool)
    stats = row_statistics(y, Task(), w)
    for i, impurity in enumerate(peer.tree_.impurity):
        found = COSTS["squared_error"](leaf_sums(stats[:, inside[:, i]])) * y.var()
        expected = impurity * peer.tree_.weighted_n_node_samples[i]
        assert found == pytest.approx(expected, rel=1e-3, abs=1e-2)


@given(st.integers(0, 10_000), st.sampled_from(CLASSIFYING))
def test_leaves_add_up_and_a_split_never_costs(seed, name):
    rng = np.random.default_rng(seed)
    y, w, left = rng.integers(0, 3, 40), rng.random(40), rng.random(40) < 0.5
    stats = row_statistics(y, THREE, w).astype(np.float64)
    parts = np.stack([stats[:, left].sum(1), stats[:, ~left].sum(1)], axis=1)
    cost = COSTS[name]
    np.testing.assert_allclose(
        cost(parts), [cost(parts[:, 0]), cost(parts[:, 1])], atol=1e-12
    )  # one leaf a column
    assert cost(parts).sum() <= cost(parts.sum(axis=1)) + 1e-9


@given(st.integers(0, 10_000))
def test_a_split_of_numbers_never_costs(seed):
    rng = np.random.default_rng(seed)
    stats = row_statistics(rng.normal(size=40), Task(), rng.random(40) + 0.01).astype(np.float64)
    left = rng.random(40) < 0.5
    parts = np.stack([stats[:, left].sum(1), stats[:, ~left].sum(1)], axis=1)
    cost = COSTS["squared_error"]
    assert cost(parts).sum() <= cost(parts.sum(axis=1)) + 1e-6


def test_class_statistics_are_weights_by_class():
    stats = row_statistics(np.array([0, 2, 2]), THREE, np.array([1.0, 0.5, 2.0]))
    np.testing.assert_array_equal(stats, [[1, 0, 0], [0, 0, 0], [0, 0.5, 2.0]])


@pytest.mark.parametrize("value", [0.1, 0.3, 1e9 + 0.1, 0.0, -1e-7])
def test_equal_answers_cost_nothing_whatever_their_size(value):
    stats = row_statistics(np.full(1007, value), Task(), np.ones(1007))
    assert np.isfinite(stats).all()
    for rows in (slice(None), slice(0, 5), slice(3, 700)):
        assert COSTS["squared_error"](leaf_sums(stats[:, rows])) == 0.0


def test_large_offsets_lose_no_digits():
    y = 1e6 + np.random.default_rng(0).normal(size=500)
    stats = row_statistics(y, Task(), np.ones(500))
    assert COSTS["squared_error"](leaf_sums(stats)) == pytest.approx(500, rel=1e-4)


def test_costs_by_name():
    assert cost_named(None, THREE) is COSTS["misclassification"]
    assert cost_named(None, Task()) is COSTS["squared_error"]
    assert cost_named("gini", THREE) is COSTS["gini"]
    with pytest.raises(InvalidInput, match="Did you mean 'gini'"):
        cost_named("ginni", THREE)
    with pytest.raises(InvalidInput, match="does not fit regression"):
        cost_named("gini", Task())
    with pytest.raises(InvalidInput, match="does not fit classes"):
        cost_named("squared_error", THREE)
