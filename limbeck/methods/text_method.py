"""What methods for texts share: each text is asked about once, and the answers are fitted."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from limbeck.core.answers import answers
from limbeck.core.columns import Rows
from limbeck.core.contract import MethodResult, Teacher
from limbeck.core.errors import InvalidInput, plural
from limbeck.core.progress import Progress
from limbeck.core.status import Status, StatusCode
from limbeck.core.task import Task
from limbeck.data.class_weights import ClassWeight, class_weights
from limbeck.methods.base import BaseMethod
from limbeck.methods.soft_answers import soft_of
from limbeck.students.targets import read_weight

__all__ = ["HARD", "AnsweredTexts", "FoundText", "TextMethod"]

HARD = "hard labels"
"""The baseline: the same student, taught the teacher's hard answers."""


@dataclass(frozen=True, eq=False)
class AnsweredTexts:
    """Texts with soft answers, of a teacher or out of labels.

    Parameters
    ----------
    rows : Rows
        The texts.
    soft : ndarray of shape (n, k) or (n, 1)
        Probabilities of classes, or values.
    weight : ndarray of shape (n,)
        How much each text counts.
    task : Task
        What is predicted.
    """

    rows: Rows
    soft: NDArray[np.float64]
    weight: NDArray[np.float64]
    task: Task

    def take(self, at: NDArray[np.int64]) -> AnsweredTexts:
        """Only some of the texts.

        Parameters
        ----------
        at : ndarray of int
            Their positions.
        """
        return AnsweredTexts(self.rows[at], self.soft[at], self.weight[at], self.task)

    def hard(self) -> AnsweredTexts:
        """The same with the most probable class alone."""
        soft = np.eye(self.task.outputs)[self.soft.argmax(axis=1)]
        return AnsweredTexts(self.rows, soft, self.weight, self.task)


@dataclass(frozen=True, eq=False)
class FoundText:
    """A student of texts, how it was found in a sentence, and the numbers behind it.

    Parameters
    ----------
    student : Student
        The student.
    message : str
        Ends with a full stop.
    trace : mapping
        For the result's record.
    """

    student: Any
    message: str
    trace: dict[str, Any] = field(default_factory=dict)


class TextMethod(BaseMethod):
    """A method that says by `fitted` what it makes of texts with soft answers."""

    into: ClassVar[str] = "text_classifier"
    texts: ClassVar[bool] = True
    form: ClassVar[str] = "texts"

    @abstractmethod
    def fitted(self, data: AnsweredTexts, seed: int, tell: Progress) -> FoundText:
        """The student.

        Parameters
        ----------
        data : AnsweredTexts
            The texts.
        seed : int
            The source of chance.
        tell : Progress
            Told of the stages.
        """

    def same_kind(self, found: FoundText) -> TextMethod:
        """The method that makes this kind of student alone; by default itself.

        Parameters
        ----------
        found : FoundText
            What `fitted` returned.
        """
        return self

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
                f"{teacher.name} answers {plural(len(rows), 'text')} with an array of shape"
                f" {scores.shape}.",
                "Give a teacher of classes or of one number.",
            )
        weight = read_weight(sample_weight, len(rows))
        if class_weight is not None:
            own = answers(scores, task)
            weight = weight * class_weights(class_weight, task, own, weight)[own]
        data = AnsweredTexts(rows, soft_of(scores, teacher), weight, task)
        seed = int(rng.integers(2**31))
        found = self.fitted(data, seed, progress)
        status = Status(StatusCode.COMPLETE, found.message)
        rivals = self.taught_hard(data, found, seed, progress)
        return MethodResult(found.student, status, trace=found.trace, rivals=rivals)

    def taught_hard(
        self, data: AnsweredTexts, found: FoundText, seed: int, tell: Progress
    ) -> dict[str, Any]:
        """The same kind of student, taught the teacher's hard answers; none of values.

        Parameters
        ----------
        data, seed, tell
            As for `fitted`.
        found : FoundText
            The student.
        """
        if not data.task.classifies:
            return {}
        return {HARD: self.same_kind(found).fitted(data.hard(), seed, tell).student}

    def learn(
        self,
        rows: Rows,
        y: NDArray[Any],
        task: Task,
        rng: np.random.Generator,
        sample_weight: NDArray[np.float64] | None = None,
    ) -> Any:
        """The control: the same search, on labels.

        Parameters
        ----------
        rows, y, task, rng
            As in `limbeck.core.contract.Method.learn`.
        sample_weight : ndarray of shape (n,), optional
            How much each text counts.
        """
        soft = np.eye(task.outputs)[y] if task.classifies else np.asarray(y, float)[:, None]
        data = AnsweredTexts(rows, soft, read_weight(sample_weight, len(rows)), task)
        return self.fitted(data, int(rng.integers(2**31)), lambda *_: None).student
