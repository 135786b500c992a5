from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier

from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput
from limbeck.core.progress import quiet
from limbeck.core.status import StatusCode
from limbeck.methods.optimal import Optimal
from limbeck.teachers import as_teacher


def parity(n=400):
    """Two columns that say something only together."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(n, 3)), columns=["a", "b", "c"])
    return X, lambda rows: ((rows["a"] > 0) ^ (rows["b"] > 0)).to_numpy()


def found(method, teacher=None):
    X, rule = parity()
    model = as_teacher(teacher or rule, example=X)
    return method.distill(model, Features.of(X).rows(X), np.random.default_rng(0), quiet)


def test_a_parity_is_four_leaves():
    result = found(Optimal(queries=0, epsilon=0.1))
    assert result.student.size == 4
    X, rule = parity(2000)
    assert (result.student.predict(X) == rule(X)).mean() > 0.97
    assert "No tree of depth 3" in result.status.message


def test_the_time_limit_is_said():
    X, rule = parity()
    noisy = RandomForestClassifier(20, random_state=0).fit(
        X, rule(X) ^ (np.random.default_rng(1).random(400) < 0.2)
    )
    result = found(Optimal(queries=0, max_depth=4, time_limit=0.0, leaves=8), noisy)
    assert result.status.code is StatusCode.LIMIT
    assert "global optimality is not proven" in result.status.message


def test_beyond_eight_leaves_and_forbidden_columns():
    result = found(Optimal(queries=0, max_leaves=10, thresholds=12, forbidden=["c"], leaves=4))
    assert "c <=" not in result.student.text()
    assert result.trace["literals"] <= 12


def test_what_it_does_not_take_is_refused():
    with pytest.raises(InvalidInput, match="greedy"):
        Optimal(feature_costs={"a": 1.0})
    for wrong in ({"thresholds": 0}, {"time_limit": -1.0}, {"max_leaves": 1}):
        with pytest.raises(InvalidInput):
            Optimal(**wrong)
