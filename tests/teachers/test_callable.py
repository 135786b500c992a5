from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from limbeck.core.answers import ScoreKind
from limbeck.core.errors import AccessDenied, InvalidInput, TeacherFailed
from limbeck.core.task import Task
from limbeck.teachers.callable import CallableTeacher

X = np.arange(10.0).reshape(5, 2)


def test_labels_become_one_hot():
    teacher = CallableTeacher(lambda X: np.where(X[:, 0] > 4, "b", "a"), classes=["a", "b"])
    assert teacher.score_kind is ScoreKind.LABEL
    np.testing.assert_array_equal(teacher.scores(X), np.eye(2)[[0, 0, 0, 1, 1]])


def test_values_are_one_column():
    teacher = CallableTeacher(lambda X: X.sum(axis=1), unit="K", batch_size=2)
    assert (teacher.task, teacher.score_kind) == (Task(unit="K"), ScoreKind.VALUE)
    np.testing.assert_array_equal(teacher.scores(X)[:, 0], X.sum(axis=1))


@pytest.mark.parametrize(
    ("function", "kind"),
    [
        (lambda X: np.full((len(X), 2), 0.5), ScoreKind.PROBABILITY),
        (lambda X: X, ScoreKind.LOGIT),
    ],
)
def test_the_kind_of_a_table_is_found(function, kind):
    teacher = CallableTeacher(function, classes=[0, 1])
    assert teacher.scores(X).shape == (5, 2)
    assert teacher.score_kind is kind


def test_one_column_belongs_to_the_second_class():
    p = CallableTeacher(lambda X: X[:, :1] / 10, classes=[0, 1], score_kind="probability")
    np.testing.assert_allclose(p.scores(X).sum(axis=1), 1)
    z = CallableTeacher(lambda X: X[:, 0], classes=[0, 1], score_kind="logit")
    np.testing.assert_array_equal(z.scores(X), np.column_stack([np.zeros(5), X[:, 0]]))


def test_frames_reach_the_function_in_batches():
    sizes = []

    def function(frame):
        sizes.append(len(frame))
        return frame["a"] * 2

    teacher = CallableTeacher(function, batch_size=2)
    assert teacher.name == "function"
    scores = teacher.scores(pd.DataFrame({"a": [1.0, 2.0, 3.0]}))
    np.testing.assert_array_equal(scores[:, 0], [2, 4, 6])
    assert sizes == [2, 1]


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda X: 1 / 0, "ZeroDivisionError on rows 0 to 4"),
        (lambda X: np.zeros(3), r"shape \(3,\)"),
        (lambda X: 3.0, r"shape \(\)"),
        (lambda X: np.full(len(X), 7), "none of its classes"),
        (lambda X: np.zeros((len(X), 3)), r"3 column"),
        (lambda X: np.full((len(X), 2), np.nan), "row 0"),
        (lambda X: np.full((len(X), 2), "a"), "not numbers"),
    ],
)
def test_failures_say_what_was_wrong(function, words):
    with pytest.raises(TeacherFailed, match=words):
        CallableTeacher(function, classes=[0, 1], batch_size=5).scores(X)


@pytest.mark.parametrize(
    "options",
    [
        {"classes": ["a"]},
        {"classes": ["a", "a"]},
        {"score_kind": "logit"},
        {"classes": [0, 1], "score_kind": "value"},
        {"batch_size": 0},
    ],
)
def test_bad_settings_are_refused(options):
    with pytest.raises(InvalidInput):
        CallableTeacher(np.sum, **options)


def test_activations_and_gradients_are_denied():
    teacher = CallableTeacher(np.sum)
    with pytest.raises(AccessDenied, match="black box"):
        teacher.activations(X, [])
    with pytest.raises(AccessDenied, match="black box"):
        teacher.gradient(X, 0)
