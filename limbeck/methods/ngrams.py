"""A linear model of n-grams out of a teacher that answers texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Rows
from limbeck.core.contract import (
    MethodResult,
    Progress,
    Status,
    StatusCode,
    Task,
    Teacher,
    answers,
)
from limbeck.core.errors import InvalidInput
from limbeck.core.registry import METHODS
from limbeck.data.class_weights import ClassWeight, class_weights
from limbeck.methods.base import BaseMethod
from limbeck.methods.soft_answers import soft_of
from limbeck.students.targets import read_weight
from limbeck.students.text_classifier.search import FoundModel, TextData, TextSettings, search
from limbeck.students.text_classifier.text_classifier import TextClassifier

__all__ = ["DistillNgrams"]

HARD = "hard labels"
"""The baseline: the same student, taught the teacher's hard answers."""


@METHODS.register("ngrams")
@dataclass(frozen=True)
class DistillNgrams(BaseMethod):
    """Fit tf-idf n-grams to the teacher's soft answers.

    Parameters
    ----------
    ngrams, max_terms, min_texts
        As in `limbeck.students.text_classifier.text_classifier.TextClassifier`.

    Raises
    ------
    InvalidInput
        If a setting is out of range.
    """

    into: ClassVar[str] = "text_classifier"
    default: ClassVar[bool] = True
    texts: ClassVar[bool] = True
    form: ClassVar[str] = "texts"
    effort: ClassVar[float] = 1.0
    name: ClassVar[str] = "n-grams"

    ngrams: str = "auto"
    max_terms: int = 30_000
    min_texts: int = 2

    def __post_init__(self) -> None:
        self._settings()

    def distill(
        self,
        teacher: Teacher,
        rows: Rows,
        rng: np.random.Generator,
        progress: Progress,
        sample_weight: NDArray[np.float64] | None = None,
        class_weight: ClassWeight = None,
    ) -> MethodResult:
        """Ask about every text once, and fit.

        Parameters
        ----------
        teacher, rows, rng, progress
            As in `limbeck.core.contract.Method.distill`.
        sample_weight : ndarray of shape (n,), optional
            How much each text counts.
        class_weight : "balanced", mapping or None
            How much texts count by the teacher's class.
        """
        task = teacher.task
        progress("asking the teacher", 0, 1)
        scores = teacher.scores(rows.native())
        if scores.shape != (len(rows), task.outputs) or not (task.classifies or task.outputs == 1):
            raise InvalidInput(
                f"{teacher.name} answers with {scores.shape[1:]} numbers a text.",
                "Give a teacher of classes or of one number.",
            )
        weight = read_weight(sample_weight, len(rows))
        if class_weight is not None:
            own = answers(scores, task)
            weight = weight * class_weights(class_weight, task, own, weight)[own]
        progress("fitting", 0, 1)
        choice = int(rng.integers(2**31))
        soft = soft_of(scores, teacher)
        found = self._search(rows, soft, weight, task, choice)
        student = self._student(found, rows, task)
        rivals = {}
        if task.classifies:
            hard = np.eye(task.outputs)[answers(scores, task)]
            other = self._search(rows, hard, weight, task, choice)
            rivals[HARD] = self._student(other, rows, task)
        return MethodResult(student, _status(found, len(rows)), trace=_trace(found), rivals=rivals)

    def learn(
        self,
        rows: Rows,
        y: NDArray[Any],
        task: Task,
        rng: np.random.Generator,
        sample_weight: NDArray[np.float64] | None = None,
    ) -> TextClassifier:
        """The control: the same n-grams and the same search, on labels.

        Parameters
        ----------
        rows, y, task, rng
            As in `limbeck.core.contract.Method.learn`.
        sample_weight : ndarray of shape (n,), optional
            How much each text counts.
        """
        soft = np.eye(task.outputs)[y] if task.classifies else np.asarray(y, float)[:, None]
        weight = read_weight(sample_weight, len(rows))
        found = self._search(rows, soft, weight, task, int(rng.integers(2**31)))
        return self._student(found, rows, task)

    def _search(
        self, rows: Rows, soft: NDArray[np.float64], weight: Any, task: Task, choice: int
    ) -> FoundModel:
        data = TextData(rows.features.texts(rows), soft, weight, task.classifies)
        return search(data, self._settings(), np.random.default_rng(choice))

    def _settings(self) -> TextSettings:
        return TextSettings(self.ngrams, self.max_terms, self.min_texts)

    def _student(self, found: FoundModel, rows: Rows, task: Task) -> TextClassifier:
        student = TextClassifier(self.ngrams, self.max_terms, self.min_texts, task)
        return student.take(found.families, found.fit, rows.features, task)


def _status(found: FoundModel, n: int) -> Status:
    size = sum(map(len, found.families))
    units = {"both": "words and characters"}.get(found.ngrams, found.ngrams)
    message = f"{size:,} n-grams of {units} with a penalty of {found.penalty:g}"
    if len(found.losses) > 1:
        rest = ", ".join(f"{c} {v:.3f}" for c, v in found.losses.items())
        message += f"; loss on texts left out: {rest}"
    if found.texts < n:
        message += f"; {found.texts:,} of {n:,} texts were read"
    return Status(StatusCode.COMPLETE, f"{message}.")


def _trace(found: FoundModel) -> dict[str, Any]:
    return {
        "ngrams": found.ngrams,
        "penalty": found.penalty,
        "left_out": found.losses,
        "texts_read": found.texts,
    }
