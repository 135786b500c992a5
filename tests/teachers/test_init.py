from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

import limbeck.teachers as teachers
from limbeck.core.answers import ScoreKind
from limbeck.core.errors import InvalidInput
from limbeck.core.registry import TEACHERS
from limbeck.core.task import Task
from limbeck.teachers import CallableTeacher, SklearnTeacher, StoredScores, as_teacher

X = np.random.default_rng(0).normal(size=(40, 3))
y = (X[:, 0] > 0).astype(int)


def test_teachers_are_passed_through():
    teacher = StoredScores(X, y)
    assert as_teacher(teacher) is teacher
    with pytest.raises(InvalidInput, match="already made"):
        as_teacher(teacher, unit="mm")


def test_each_kind_finds_its_teacher():
    assert isinstance(as_teacher(LogisticRegression().fit(X, y)), SklearnTeacher)
    assert isinstance(as_teacher(LinearRegression().fit(X, X[:, 0]), unit="mm"), SklearnTeacher)
    assert isinstance(as_teacher((X, y)), StoredScores)
    assert isinstance(as_teacher(lambda X: X[:, 0]), CallableTeacher)


@pytest.mark.parametrize("thing", [3, None, [1, 2, 3]])
def test_other_things_are_refused_by_type(thing):
    with pytest.raises(InvalidInput, match=f"A {type(thing).__name__} cannot be a teacher"):
        as_teacher(thing)


def test_a_registered_teacher_is_found_by_its_model(monkeypatch):
    monkeypatch.setattr(TEACHERS, "_known", {})

    class Pile(list):
        pass

    @TEACHERS.register("pile")
    class PileTeacher(StoredScores):
        def __init__(self, pile, *, unit=""):
            super().__init__(*pile, unit=unit)

        @classmethod
        def accepts(cls, model):
            return isinstance(model, Pile)

    found = as_teacher(Pile([X, X[:, 0]]), unit="mm")
    assert type(found) is PileTeacher
    assert found.task == Task(unit="mm")
    assert teachers.PileTeacher is PileTeacher
    with pytest.raises(
        InvalidInput, match=r"PileTeacher has no option 'units'\. Did you mean 'unit'"
    ):
        as_teacher(Pile([X, X[:, 0]]), units="mm")


def test_classes_in_the_sense_of_python_are_refused():
    with pytest.raises(InvalidInput, match="LogisticRegression is a class"):
        as_teacher(LogisticRegression)


@pytest.mark.parametrize(
    ("labels", "task"),
    [
        (["b", "a", "b"], Task(("a", "b"))),
        ([0.0, 1.0, 1.0], Task((0, 1))),
        ([3, 5, 4], Task((3, 4, 5))),
        ([True, False], Task((False, True))),
        ([0.5, 1.5, 2.0], Task()),
        (range(500), Task()),
    ],
)
def test_true_labels_say_what_is_predicted(labels, task):
    assert as_teacher(lambda X: X, labels).task == task


def test_options_are_stronger_than_labels():
    assert as_teacher(lambda X: X, y, classes=["a", "b"]).task == Task(("a", "b"))
    assert as_teacher(lambda X: X, y, unit="mm").task == Task(unit="mm")


def test_regression_may_be_said_of_all():
    line = LinearRegression().fit(X, X[:, 0])
    for thing in (line, lambda X: X[:, 0], (X, np.arange(40))):
        assert as_teacher(thing, y, regression=True).task == Task()
    with pytest.raises(InvalidInput, match="predicts classes"):
        as_teacher(LogisticRegression().fit(X, y), regression=True)


def test_unknown_options_are_refused_with_the_nearest():
    with pytest.raises(InvalidInput, match=r"no option 'clases'. Did you mean 'classes'"):
        as_teacher(lambda X: X, clases=[0, 1])


@pytest.mark.parametrize("labels", [["a", "b", None], [0.0, 1.0, np.nan], [0, 1, -1]])
def test_missing_labels_are_passed_over(labels):
    assert as_teacher(lambda X: X, labels).task.classes in (("a", "b"), (0, 1))
    with pytest.raises(InvalidInput, match="2 labels in y are missing"):
        as_teacher(lambda X: X, [None, np.nan])


def test_modules_take_their_classes_from_the_labels():
    torch = pytest.importorskip("torch")
    two = torch.nn.Linear(3, 2)
    assert as_teacher(two, np.where(y, "b", "a")).task == Task(("a", "b"))
    assert as_teacher(two, torch.tensor(y)).scores(X).shape == (40, 2)
    with pytest.raises(InvalidInput, match=r"2 output\(s\) for 3 classes"):
        as_teacher(two, ["a", "b", "c"]).scores(X)
    one = as_teacher(torch.nn.Linear(3, 1), X[:, 0])
    assert (one.task, one.score_kind) == (Task(), ScoreKind.VALUE)
    with pytest.raises(InvalidInput, match="Nothing says"):
        as_teacher(two)


def test_names_are_those_of_the_teachers():
    for name in teachers.__all__:
        if name != "TorchTeacher":
            assert getattr(teachers, name).__name__ == name
    with pytest.raises(AttributeError, match="Nothing"):
        _ = teachers.Nothing


@pytest.mark.parametrize("kind", [list, np.array, pd.Index, pd.Series])
def test_classes_may_be_an_array(kind: Any) -> None:
    """As an estimator's ``classes_`` is."""
    X = np.random.default_rng(0).normal(size=(40, 2))
    high = 1 / (1 + np.exp(-X[:, 0]))
    scores, classes = np.column_stack([1 - high, high]), kind(["no", "yes"])
    for made in ((X, scores), lambda rows: np.tile([0.2, 0.8], (len(rows), 1))):
        teacher = as_teacher(made, example=X, classes=classes)
        assert teacher.task.classes == ("no", "yes")
