from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from limbeck.core.answers import ScoreKind
from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput
from limbeck.core.progress import quiet
from limbeck.core.task import Task
from limbeck.methods.text_method import HARD, AnsweredTexts, FoundText, TextMethod

TEXTS = ["good", "bad", "so so"]
ROWS = Features.of(TEXTS).rows(TEXTS)
SOFT = np.array([[0.1, 0.9], [0.8, 0.2], [0.5, 0.5]])


class Kept(TextMethod):
    """Its student is what it was given to fit."""

    def fitted(self, data: AnsweredTexts, seed: int, tell: Any) -> FoundText:
        return FoundText((data, seed), "Kept.")


def distilled(scores: np.ndarray, task: Task = Task(("no", "yes")), **given: Any) -> Any:  # noqa: B008
    kind = ScoreKind.PROBABILITY if task.classifies else ScoreKind.VALUE
    teacher: Any = SimpleNamespace(task=task, scores=lambda X: scores, name="it", score_kind=kind)
    return Kept().distill(teacher, ROWS, np.random.default_rng(0), quiet, **given)


def test_the_rival_is_taught_the_most_probable_class_by_the_same_chance() -> None:
    found = distilled(SOFT)
    (own, seed), (hard, other) = found.student, found.rivals[HARD]
    np.testing.assert_array_equal(own.soft, SOFT)
    assert hard.soft.tolist() == [[0, 1], [1, 0], [1, 0]]
    assert seed == other
    assert distilled(SOFT[:, :1], Task()).rivals == {}


def test_texts_count_by_their_weight_and_the_teachers_class() -> None:
    found = distilled(SOFT, sample_weight=np.array([1.0, 2.0, 4.0]), class_weight={"no": 3.0})
    assert found.student[0].weight.tolist() == [1.0, 6.0, 12.0]


def test_scores_of_another_shape_are_refused() -> None:
    with pytest.raises(InvalidInput, match=r"it answers 3 texts with an array of shape .2, 2."):
        distilled(SOFT[:2])


def test_the_control_learns_from_labels() -> None:
    task = Task(("no", "yes"))
    data, _ = Kept().learn(ROWS, np.array([1, 0, 1]), task, np.random.default_rng(0))
    assert data.soft.tolist() == [[0, 1], [1, 0], [0, 1]]
    assert data.take(np.array([2])).soft.tolist() == [[0, 1]]
