from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput
from limbeck.core.progress import quiet
from limbeck.methods.from_forest import FromForest
from limbeck.teachers import as_teacher


def table(n=300):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(n, 3)), columns=["a", "b", "c"])
    return X, (X["a"] + (X["b"] > 0)).to_numpy()


@pytest.mark.parametrize("kind", ["forest", "values", "function"])
def test_a_forest_becomes_one_tree(kind):
    X, y = table()
    if kind == "values":
        teacher = as_teacher(RandomForestRegressor(10, random_state=0).fit(X, y))
    else:
        forest = RandomForestClassifier(10, random_state=0).fit(X, y > 0.5)
        teacher = as_teacher(forest if kind == "forest" else forest.predict, example=X)
    result = FromForest(queries=500, leaves=6).distill(
        teacher, Features.of(X).rows(X), np.random.default_rng(0), quiet
    )
    tree = result.student
    assert 2 <= tree.size <= 6
    assert tree.score(X, teacher.estimator.predict(X) if kind != "function" else y > 0.5) > 0.8
    assert result.trace["literals"] <= 300


def test_its_thresholds_are_those_of_the_teacher():
    X, y = table()
    forest = RandomForestClassifier(10, random_state=0).fit(X, y > 0.5)
    known = {(int(f), float(t)) for m in forest.estimators_
             for f, t in zip(m.tree_.feature, m.tree_.threshold, strict=True)}  # fmt: skip
    method, rows = FromForest(queries=0, leaves=5), Features.of(X).rows(X)
    from limbeck.methods.forests import trees_of_teacher

    trees = trees_of_teacher(as_teacher(forest), rows.features)
    data = method._data(rows, y > 0.5, np.ones(300), as_teacher(forest).task, trees,
                        np.random.default_rng(0))  # fmt: skip
    for item in data.literals.items:
        assert min(abs(item.threshold - t) for f, t in known if f == item.feature) < 1e-6


def test_what_it_does_not_take_is_refused():
    with pytest.raises(InvalidInput, match="greedy"):
        FromForest(feature_costs={"a": 1.0})
    with pytest.raises(InvalidInput):
        FromForest(thresholds=0)


def test_more_leaves_than_rows_are_not_looked_for():
    """A limit beyond all need costs no time, and gives the tree of a sensible one."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    forest = RandomForestClassifier(10, random_state=0).fit(X, X[:, 0] > 0)
    rows, teacher = Features.of(X).rows(X), as_teacher(forest)
    few, many = (
        FromForest(max_leaves=most, queries=200).distill(
            teacher, rows, np.random.default_rng(0), quiet
        )
        for most in (70, 1000)
    )
    assert many.student.text() == few.student.text()
