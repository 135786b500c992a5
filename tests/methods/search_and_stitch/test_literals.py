from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from limbeck.core.column import Feature
from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.methods.search_and_stitch.literals import Literal, Literals, grid
from limbeck.students.tree.nodes import EQ, LE, MISSING, Nodes
from limbeck.students.tree.tree import Tree

COLUMNS = Features(
    (
        Feature("x"),
        Feature("whole"),
        Feature("colour", "categorical", levels=("red", "green", "blue")),
        Feature("flag", "boolean"),
    ),
    frame=True,
    dtypes=("float64", "float64", "category", "bool"),
)
nan = np.nan


def random_values(seed, n=60, holes=0.1):
    rng = np.random.default_rng(seed)
    values = np.c_[
        rng.normal(size=n), rng.integers(0, 5, n), rng.integers(0, 3, n), rng.integers(0, 2, n)
    ].astype(float)
    values[rng.random(values.shape) < holes] = nan
    return values


def stump(t):
    """The one-question tree that answers 1 where the literal is true."""
    nodes = Nodes(
        np.array([t.feature, -1, -1]),
        np.array([t.op, 0, 0]),
        np.array([t.threshold, 0, 0]),
        np.array([t.missing_left, False, False]),
        np.array([1, -1, -1]),
        np.array([2, -1, -1]),
        np.array([[0.5], [1.0], [0.0]]),
        np.ones(3),
    )
    return Tree.from_nodes(nodes, COLUMNS, Task())


@pytest.mark.parametrize("seed", range(3))
def test_truth_is_what_a_tree_with_that_question_answers(seed):
    values = random_values(seed)
    literals = Literals(grid(COLUMNS, values))
    assert {t.op for t in literals.items} == {LE, EQ, MISSING}
    fresh = random_values(seed + 100)
    truth = literals.truth(fresh)
    for t, told in zip(literals.items, truth, strict=True):
        predicted = stump(t).predict(COLUMNS.decode(fresh))
        np.testing.assert_array_equal(told, predicted == 1.0, err_msg=str(t))


@given(st.integers(0, 10_000), st.integers(2, 30), st.sampled_from([0.0, 0.3, 0.9]))
def test_no_literal_is_constant_on_the_rows(seed, n, holes):
    values = random_values(seed, n, holes)
    told = Literals(grid(COLUMNS, values)).truth(values)
    assert not told.all(axis=1).any()
    assert told.any(axis=1).all()


def test_values_that_float32_cannot_tell_apart_are_not_split():
    features = Features((Feature("x"),))
    close = np.nextafter(1.0, 2.0)
    assert grid(features, np.array([[1.0], [close]])) == []
    assert len(grid(features, np.array([[1.0], [close], [1.001]]))) == 1
    seconds = 1.7e9 + np.arange(1000.0)  # a float32 step is 128
    assert len(grid(features, seconds[:, None])) == 8


def test_numbers_are_cut_between_their_values_and_both_ways_where_some_are_missing():
    features = Features((Feature("x"),))
    assert grid(features, np.array([[1.0], [3.0], [3.0], [4.0]])) == [
        Literal(0, LE, 2.0, False),
        Literal(0, LE, 3.5, False),
    ]
    found = grid(features, np.array([[1.0], [3.0], [nan]]))
    assert {(t.op, t.threshold) for t in found} == {(MISSING, 0.0), (LE, 2.0)}
    assert {t.missing_left for t in found if t.op == LE} == {False, True}


def test_categories_are_asked_one_by_one():
    features = Features((Feature("c", "categorical", levels=("a", "b", "c")),))
    codes = lambda v: [(t.op, t.threshold) for t in grid(features, np.array(v)[:, None])]  # noqa: E731
    assert codes([0.0, 2.0, 2.0]) == [(EQ, 0.0), (EQ, 2.0)]  # level 1 never occurs
    assert codes([1.0, 1.0]) == []
    assert (EQ, 1.0) in codes([1.0, nan])
    assert codes([nan, nan]) == []


def test_many_values_are_thinned_to_even_quantiles():
    x = np.random.default_rng(0).exponential(size=5000)
    found = grid(Features((Feature("x"),)), x[:, None])
    assert len(found) == 32
    shares = [(x <= t.threshold).mean() for t in found]
    np.testing.assert_allclose(shares, np.arange(1, 33) / 33, atol=1e-3)


def test_wide_tables_keep_three_thresholds_a_column():
    values = np.random.default_rng(0).normal(size=(50, 900))
    features = Features(tuple(Feature(f"x{j}") for j in range(900)))
    found = Literals(grid(features, values))
    np.testing.assert_array_equal(np.bincount(found.feature), 3)


def test_literals_are_sorted_without_repeats():
    a, b = Literal(1, LE, 0.5, False), Literal(0, LE, 2.0, True)
    found = Literals([a, b, a])
    assert found.items == (b, a)
    assert found.position == {b: 0, a: 1}
    assert len(Literals([])) == 0
    assert Literals([]).truth(np.zeros((4, 2))).shape == (0, 4)
