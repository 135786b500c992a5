from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from limbeck.core.columns import Features
from limbeck.core.contract import Task
from limbeck.evaluation.linear_model import LinearModel

RNG = np.random.default_rng(0)


def test_the_same_as_scikit_learn_on_numbers() -> None:
    X = RNG.standard_normal((300, 3)) * [1, 10, 100]
    answers = (X @ [1, 0.1, -0.01] > 0).astype(np.int64)
    peer = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300)).fit(X, answers)
    ours = LinearModel(Features.of(X), Task((0, 1))).fit(X, answers)
    assert (ours.predict(X) == peer.predict(X)).all()
    assert ours.size == 4  # three weights and an intercept


def test_a_category_is_no_number() -> None:
    """Codes 0, 1, 2 with answers yes, no, yes: a line through the codes cannot say it."""
    frame = pd.DataFrame({"c": ["a", "b", "c"] * 50, "x": RNG.standard_normal(150)})
    features = Features.of(frame)
    values = features.encode(frame)
    answers = (values[:, 0] != 1).astype(np.int64)
    ours = LinearModel(features, Task(("no", "yes"))).fit(values, answers)
    assert (ours.predict(values) == answers).all()


def test_gaps_are_filled_and_numbers_predicted() -> None:
    X = RNG.standard_normal((400, 2))
    y = 3 * X[:, 0] - X[:, 1] + 5
    X[::10, 1] = np.nan
    ours = LinearModel(Features.of(X), Task()).fit(X, y)
    whole = ~np.isnan(X[:, 1])
    assert np.corrcoef(ours.predict(X)[whole], y[whole])[0, 1] > 0.99


def test_a_teacher_of_one_answer() -> None:
    X = RNG.standard_normal((20, 2))
    ours = LinearModel(Features.of(X), Task((0, 1))).fit(X, np.ones(20, dtype=np.int64))
    assert (ours.predict(X) == 1).all()
    assert ours.size == 1
