from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from limbeck.core.columns import Features
from limbeck.core.contract import Status, StatusCode, Task
from limbeck.evaluation.baselines import LinearModel, told_constant

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


STATUS = Status(StatusCode.COMPLETE, "The search ran to its end.")


def test_a_student_that_is_a_constant_is_called_one() -> None:
    task = Task(("no", "yes"))
    answers = np.repeat([0, 1], [996, 4])
    found = told_constant(STATUS, np.zeros(50, int), answers, task, 0.05, True)
    assert str(found).startswith(
        "A constant meets epsilon = 0.05: the teacher says 'no' on 99.6% of rows, and the student"
        " always does. The search ran to its end. For a student that tells rows apart"
    )
    poor = told_constant(STATUS, np.zeros(50, int), 1 - answers, task, 0.05, False)
    assert "A constant does not meet epsilon = 0.05: the teacher says 'no' on 0.4%" in str(poor)
    assert "allow more leaves" in str(poor)
    one = told_constant(STATUS, np.zeros(50, int), np.zeros(9, int), task, 0.05, True)
    assert "on all 9 rows set aside" in str(one)
    assert "Give more rows on which the teacher's answers differ." in str(one)
    value = told_constant(STATUS, np.full(5, 2.5), np.arange(5.0), Task(), 0.1, False)
    assert "the student always says 2.5" in str(value)
    varied = np.array([0, 1, 0])
    assert told_constant(STATUS, varied, answers, task, 0.05, True) is STATUS
