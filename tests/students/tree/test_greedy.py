from __future__ import annotations

import numpy as np
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier

from limbeck.core.column import Feature
from limbeck.core.columns import Features
from limbeck.students.tree.apply import walker
from limbeck.students.tree.greedy import ExpandedColumn, expand, from_sklearn
from limbeck.students.tree.nodes import EQ, LE, MISSING

COLOURS = Features((Feature("x"), Feature("c", "categorical", levels=("r", "g"))), frame=True)


def test_expand() -> None:
    values = np.array([[1.5, 0.0], [2.5, 1.0], [np.nan, np.nan]])
    matrix, columns = expand(COLOURS, values)
    nan = np.nan
    np.testing.assert_array_equal(matrix, [[1.5, 1, 0], [2.5, 0, 1], [nan, nan, nan]])
    assert columns == (
        ExpandedColumn(0, LE, 0.0),
        ExpandedColumn(1, EQ, 0.0),
        ExpandedColumn(1, EQ, 1.0),
    )


def test_expand_without_categories_copies_nothing() -> None:
    values = np.zeros((2, 1))
    assert expand(Features((Feature("x"),)), values)[0] is values


def test_questions_of_all_kinds_come_from_sklearn() -> None:
    rng = np.random.default_rng(0)
    values = np.c_[np.round(rng.normal(size=400), 1), rng.integers(0, 2, 400)]
    values[rng.random(values.shape) < 0.2] = np.nan
    y = np.isnan(values[:, 0]) | ((values[:, 1] == 1) & (values[:, 0] > 0.3))
    matrix, columns = expand(COLOURS, values)
    kinds = set()  # which of equally good questions is asked depends on scikit-learn's version
    for target in (y, np.isnan(values[:, 0])):
        peer = DecisionTreeClassifier(random_state=0).fit(matrix, target)
        nodes = from_sklearn(peer.tree_, columns)
        walk, leaves = walker(nodes)
        kinds |= set(nodes.op[~nodes.is_leaf])
        assert (leaves[walk(values)] == peer.apply(matrix)).all()
    assert kinds == {LE, EQ, MISSING}


def test_random_thresholds_are_read_too() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(300, 2))
    peer = ExtraTreeClassifier(random_state=0).fit(values, rng.integers(0, 2, 300))
    walk, leaves = walker(
        from_sklearn(peer.tree_, (ExpandedColumn(0, LE, 0), ExpandedColumn(1, LE, 0)))
    )
    assert (leaves[walk(values)] == peer.apply(values)).all()
