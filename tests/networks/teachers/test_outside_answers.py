from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

from limbeck.core.answers import ScoreKind
from limbeck.core.errors import InvalidInput, TeacherFailed
from limbeck.core.task import Task
from limbeck.data.scores import OutputReading
from limbeck.networks.teachers.outside_answers import (
    Reader,
    per_label,
    reading_of_answers,
    said_of,
)


def softmax(z: Any) -> Any:
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def reader(kind: ScoreKind, own: Any, outputs: int, classes: Any, labels: bool = False) -> Reader:
    return Reader(OutputReading(Task(tuple(own)), kind), outputs, tuple(classes), labels)


def test_columns_stand_in_the_order_of_the_student_and_absent_classes_have_no_chance() -> None:
    read = reader(ScoreKind.PROBABILITY, ["b", "a"], 3, ["a", "b", "c"])
    p = np.array([[0.25, 0.75], [1.0, 0.0]])
    found = read(p)
    np.testing.assert_allclose(softmax(found), [[0.75, 0.25, 0], [0, 1, 0]], atol=1e-12)
    assert np.isfinite(found).all()


def test_one_output_is_the_log_odds_of_the_second_class() -> None:
    p = np.array([0.1, 0.5, 0.9])
    for own, wanted in (([0, 1], p), (["no", "yes"], p), (["yes", "no"], 1 - p)):
        classes = own if own == [0, 1] else ["no", "yes"]
        z = reader(ScoreKind.PROBABILITY, own, 1, classes)(p)
        np.testing.assert_allclose(1 / (1 + np.exp(-z[:, 0])), wanted)
    z = reader(ScoreKind.LOGIT, [0, 1], 1, [0, 1])(np.array([-2.0, 3.0]))
    assert z.tolist() == [[-2.0], [3.0]]


def test_labels_are_certain_and_unknown_ones_are_named() -> None:
    read = reader(ScoreKind.LABEL, ["cat", "dog"], 2, ["dog", "cat"])
    assert softmax(read(np.array(["dog", "cat"]))).argmax(1).tolist() == [0, 1]
    with pytest.raises(TeacherFailed, match="answered 'cow', which is none of its classes"):
        read(np.array(["dog", "cow"]))
    with pytest.raises(InvalidInput, match=r"classes are \['cat', 'dog'\], those of the student"):
        reader(ScoreKind.LABEL, ["cat", "dog"], 2, ["x", "y"])(np.array(["dog"]))


def test_numbers_and_answers_of_places_are_left_as_they_are() -> None:
    read = reader(ScoreKind.VALUE, [], 1, [0, 1])
    assert read(np.array([1.5, 2.0])).tolist() == [[1.5], [2.0]]
    places = np.zeros((2, 3, 4))
    assert reader(ScoreKind.LOGIT, [0, 1], 2, [0, 1])(places) is places


def test_probabilities_of_several_labels_are_log_odds() -> None:
    p = np.array([[0.9, 0.9, 0.1], [0.2, 0.7, 0.6]])
    reading = reading_of_answers(p, "f", None, None, False, 3)
    assert per_label(p, reading, 3)
    assert not per_label(p, reading, 2)
    assert not per_label(softmax(p), reading, 3)
    z = Reader(reading, 3, (0, 1, 2), True)(p)
    np.testing.assert_allclose(1 / (1 + np.exp(-z)), p)
    assert np.isfinite(Reader(reading, 3, (0, 1, 2), True)(np.array([[0.0, 1.0, 0.5]]))).all()
    assert said_of("f", reading, True).endswith("losses read log(p / (1 - p)).")


def test_what_answers_are_is_told_by_shape_labels_and_what_was_said() -> None:
    z = np.array([[3.0, -1.0], [0.0, 2.0]])
    kind = {
        "logits": reading_of_answers(z, "f", None, None, False, 2),
        "numbers": reading_of_answers(z, "f", None, None, True, 2),
        "places": reading_of_answers(np.zeros((2, 3, 4)), "f", None, None, False, 4),
        "places of numbers": reading_of_answers(np.zeros((2, 3, 4)), "f", None, None, True, 4),
        "probability": reading_of_answers(softmax(z), "f", np.array([0, 1]), None, False, 2),
        "one number": reading_of_answers(z[:, 0], "f", np.array([0.5, 1.5]), None, False, 1),
    }
    assert {name: r.kind for name, r in kind.items()} == {
        "logits": ScoreKind.LOGIT, "numbers": ScoreKind.VALUE, "places": ScoreKind.LOGIT,
        "places of numbers": ScoreKind.VALUE, "probability": ScoreKind.PROBABILITY,
        "one number": ScoreKind.VALUE,
    }  # fmt: skip
