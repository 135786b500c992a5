from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from limbeck.core.columns import Features
from limbeck.core.errors import AccessDenied, InvalidInput
from limbeck.core.progress import quiet
from limbeck.core.task import Task
from limbeck.methods.greedy import Greedy
from limbeck.teachers import as_teacher


def table(n=300, seed=0):
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.normal(size=(n, 3)), columns=["a", "b", "c"])
    return X, (X["a"] + np.sin(3 * X["a"]) + (X["b"] > 0)).to_numpy()


def found(method, classes=True, weight=None, class_weight=None, n=300):
    X, y = table(n)
    model = RandomForestClassifier if classes else RandomForestRegressor
    teacher = as_teacher(model(20, random_state=0).fit(X, y > 0.5 if classes else y))
    rows = Features.of(X).rows(X)
    return method.distill(teacher, rows, np.random.default_rng(0), quiet, weight, class_weight)


def test_depth_leaves_and_columns():
    result = found(Greedy(max_depth=2, leaves=8, min_samples_leaf=40, forbidden=["b"], queries=0))
    tree = result.student
    assert tree.depth <= 2
    assert "b <=" not in tree.text()
    X, _ = table()
    assert np.unique(tree.apply(X), return_counts=True)[1].min() >= 40


def test_a_price_buys_columns_only_where_they_are_worth_it():
    dear = found(Greedy(feature_costs={"a": 0.49}, leaves=6, queries=0)).student
    assert "a <=" not in dear.text()
    cheap = found(Greedy(feature_costs={"a": 0.001}, leaves=6, queries=0)).student
    assert "a <=" in cheap.text()
    with pytest.raises(InvalidInput, match="feature_costs"):
        found(Greedy(feature_costs=dict.fromkeys("abc", 10.0), queries=0))


def test_probabilities_or_answers_as_rows_left_out_say():
    result = found(Greedy(queries=0))
    assert result.trace["target"] in ("answers", "probabilities")
    soft = found(Greedy(queries=0, soft=True, leaves=4))
    hard = found(Greedy(queries=0, soft=False, leaves=4))
    assert soft.trace["target"] == "probabilities"
    assert hard.trace["target"] == "answers"
    # leaf values are the teacher's mean probabilities, and no shares of its answers
    assert not np.allclose(soft.student.nodes_.value[0], hard.student.nodes_.value[0])


def test_queries_weights_and_the_same_seed():
    a, b = (found(Greedy(queries=600, leaves=5)) for _ in range(2))
    assert a.student.fingerprint() == b.student.fingerprint()
    assert a.queries == 600
    assert [t.size for t in a.frontier] == sorted({t.size for t in a.frontier})
    only = np.r_[np.ones(100), np.zeros(200)]
    assert found(Greedy(queries=0), weight=only).trace["rows"] == 100
    heavy = found(Greedy(queries=0, leaves=1, soft=False), class_weight={True: 50.0, False: 1.0})
    assert heavy.student.predict(table()[0]).all()


def test_the_control_and_few_rows():
    X, y = table(60)
    rows, task = Features.of(X).rows(X), Task((False, True))
    tree = Greedy(leaves=3).learn(rows, (y > 0.5).astype(int), task, np.random.default_rng(0))
    assert tree.size == 3
    assert found(Greedy(queries=0), n=8).student.size >= 1


def test_settings_out_of_range_and_a_teacher_that_cannot_be_asked():
    for wrong in ({"max_leaves": 1}, {"leaves": 99}, {"queries": -1}, {"query_weight": 2}):
        with pytest.raises(InvalidInput):
            Greedy(**wrong)
    X, y = table(40)
    scores = np.column_stack([y < 0.5, y >= 0.5]).astype(float)
    stored = as_teacher((X, scores))
    with pytest.raises(AccessDenied, match="queries=0"):
        Greedy(queries=5).distill(stored, Features.of(X).rows(X), np.random.default_rng(0), quiet)
