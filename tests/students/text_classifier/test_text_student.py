from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task
from limbeck.students.text_classifier.text_student import TextStudent, texts_of


class Lengths(TextStudent):
    """Sums are the length of a text times a number for each output."""

    def __init__(self, task: Any = None) -> None:
        self.task = task

    def _fitted(self, data: Any, features: Features, task: Task) -> Any:
        self.data, self.features_, self.task_ = data, features, task
        self.classes_ = np.array(task.classes)
        return self

    def _sums(self, texts: Any) -> np.ndarray:
        k = len(self.task_.classes)
        return np.array([len(t) - 2.0 for t in texts])[:, None] * np.arange(
            1, k + 1 if k > 2 else 2
        )

    def _deciding(self) -> Any:
        return {}

    def text(self) -> str:
        return ""

    size = 0
    to_dict = from_dict = None


Lengths.__abstractmethods__ = frozenset()
TEXTS = ["a", "bb", "cccc"]


def test_answers_follow_from_the_sums() -> None:
    two = Lengths().fit(TEXTS, ["no", "yes", "yes"])
    assert two.data.soft.tolist() == [[1, 0], [0, 1], [0, 1]]
    assert two.decision_function(TEXTS).tolist() == [-1, 0, 2]
    assert two.predict(TEXTS).tolist() == ["no", "no", "yes"]
    assert two.predict_proba(TEXTS)[:, 1] == pytest.approx([0.26894, 0.5, 0.8808], abs=1e-4)
    three = Lengths().fit(TEXTS, ["x", "y", "z"])
    assert three.predict(TEXTS).tolist() == ["x", "x", "z"]
    np.testing.assert_allclose(three.predict_proba(TEXTS).sum(axis=1), 1)
    value = Lengths("value").fit(TEXTS, [0.5, 1.5, 2.5])
    assert value.predict(TEXTS).tolist() == [-1, 0, 2]
    assert not hasattr(value, "predict_proba")


def test_empty_texts_are_told() -> None:
    made = Lengths().fit(["a", " ", ""], [0, 1, 1])
    assert made.notes(made.features_.rows(["a", " ", ""])) == ("2 of 3 training texts are empty.",)
    assert made.notes(made.features_.rows(["a"])) == ()


def test_numbers_are_no_texts() -> None:
    with pytest.raises(InvalidInput, match=r"reads texts.*X\['text'\]"):
        texts_of(Features.of(np.zeros((2, 2))), np.zeros((2, 2)))
