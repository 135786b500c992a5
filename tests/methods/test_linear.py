from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

import limbeck
from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task
from limbeck.methods.linear import match_linear

RNG = np.random.default_rng(0)
X = RNG.standard_normal((500, 8))
Y = (X[:, 0] - 2 * X[:, 3] + 0.5 * RNG.standard_normal(500) > 0).astype(int)
TEACHER = LogisticRegression().fit(X[:200], Y[:200])


def test_a_linear_teacher_is_matched_and_the_baseline_is_the_same_student() -> None:
    result = limbeck.distill(TEACHER, X[200:], into="linear", queries=0, progress=False)
    table = {(m.role, m.model): m for m in result.comparison.entries}
    student, baseline = table["student", "linear"], table["baseline", "linear model"]
    assert student.agreement.value == baseline.agreement.value > 0.97
    assert student.size == baseline.size == "9 weights"


def test_few_columns_along_the_path() -> None:
    result = limbeck.distill(
        TEACHER, X[200:], into="linear", method="l1_path", numbers=3, queries=0, progress=False
    )
    assert {t.column for t in result.student.sum_.terms} == {0, 3}


def test_a_dense_model_has_no_size_to_ask_for() -> None:
    with pytest.raises(InvalidInput, match="Use method='l1_path'"):
        limbeck.distill(TEACHER, X[200:], into="linear", numbers=5, progress=False)


def test_soft_answers_tell_more_than_hard_ones() -> None:
    p = TEACHER.predict_proba(X[:60])
    student = match_linear(Features.of(X).rows(X[:60]), p, None, Task((0, 1)))
    assert (student.predict(X) == TEACHER.predict(X)).mean() > 0.95
