from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

torch = pytest.importorskip("torch")

from limbeck.api.prepare.labels import ClassNames, coded_labels  # noqa: E402
from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.core.task import Task  # noqa: E402
from limbeck.modules.batch import IGNORED  # noqa: E402

X = np.zeros((3, 2), np.float32)
TEXT = ["no", "yes", None]


def coded(y: Any, classes: Any = None, test: Any = None, **more: Any) -> Any:
    return coded_labels(X, y, None, test, classes, **more)


def test_names_become_places_and_missing_ones_are_ignored() -> None:
    found = coded(TEXT)
    assert found.y.tolist() == [0, 1, IGNORED]
    assert found.names == ("no", "yes")
    assert found.named.guessed
    assert found.notes[0].startswith("Labels are names: the outputs stand for 'no', 'yes', in this")
    assert coded([["yes", "no"], ["no"]]).y == [[1, 0], [0]]
    assert coded([True, False, None]).y.tolist() == [1, 0, IGNORED]


def test_the_order_is_that_of_classes_then_of_the_teacher_then_of_categories() -> None:
    teacher = SimpleNamespace(config=SimpleNamespace(id2label={1: "no", 0: "yes", 2: "maybe"}))
    assert coded(TEXT, ["yes", "no"], teacher=teacher).y.tolist() == [1, 0, IGNORED]
    found = coded(TEXT, teacher=teacher)
    assert found.names == ("yes", "no", "maybe")
    assert not found.named.guessed
    students = [SimpleNamespace(classes_=np.array(["yes", "no"]))]
    assert coded(TEXT, students=students).names == ("yes", "no")
    ordered = pd.Series(pd.Categorical(["a", "b", "a"], categories=["b", "a"]))
    assert coded(ordered).y.tolist() == [1, 0, 1]
    assert not coded(ordered).named.guessed


def test_both_sides_have_the_same_places_in_pairs_and_in_mappings() -> None:
    found = coded_labels((X, TEXT), None, {"x": X, "labels": ["yes"] * 3}, (X, ["no"] * 3), None)
    assert found.data[0] is X
    assert found.data[1].tolist() == [0, 1, IGNORED]
    assert found.validation["labels"].tolist() == [1, 1, 1]
    assert found.test[1].tolist() == [0, 0, 0]


def test_numbers_are_left_as_they_are() -> None:
    for y in ([0, 1, 2], np.array([0.5, 1, 2]), torch.tensor([0, 1, 0]), [[0, 1], [1, 0], [1, 1]]):
        found = coded(y)
        assert found.y is y
        assert found.names is None


def test_names_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InvalidInput, match="'maybe'"):
        coded(TEXT, test=(X, ["no", "maybe", "no"]))
    with pytest.raises(InvalidInput, match="'yes' in the test labels, and the training labels are"):
        coded([0, 1, 0], test=(X, ["yes", "no", "no"]))
    names = ClassNames(("no", "yes"))
    names.refuse(Task.of("classification", 2))
    with pytest.raises(InvalidInput, match="Labels are names such as 'no', and the task is regre"):
        names.refuse(Task.of("regression", 1))
    ClassNames((False, True)).refuse(Task.of("regression", 1))
