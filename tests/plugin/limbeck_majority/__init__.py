"""A package of somebody else: a student that always says the same, and its method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from limbeck.core.answers import answers
from limbeck.core.columns import Features, Rows
from limbeck.core.contract import MethodResult
from limbeck.core.status import Status, StatusCode
from limbeck.core.task import Task
from limbeck.methods.base import BaseMethod
from limbeck.students import files
from limbeck.students.readable import Readable


class Majority(Readable):
    """Always the class that is most frequent among the training rows."""

    size_unit = "answers"

    def __init__(self, task: Task | None = None) -> None:
        self.task = task

    @property
    def size(self) -> int:
        return 1

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        names, counts = np.unique(y, return_counts=True)
        rows = X if isinstance(X, Rows) else Features.of(X).rows(X)
        self.answer_ = names[counts.argmax()]
        return self._hold(rows.features, self.task or Task(tuple(names.tolist())))

    def predict(self, X: Any) -> np.ndarray:
        return np.full(len(X), self.answer_)

    def text(self) -> str:
        return f"always {self.answer_}"

    def to_dict(self) -> dict[str, Any]:
        answer = files.plain(self.answer_)
        return {**self._head("majority"), "answer": answer}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        features, task = files.read_head(data, "majority")
        found = cls(task)._hold(features, task)
        found.answer_ = task.labels[task.classes.index(data["answer"])]
        return found._recall(data)


@dataclass(frozen=True)
class TakeMajority(BaseMethod):
    """The most frequent answer of the teacher, on at most so many rows."""

    into: ClassVar[str] = "majority"
    default: ClassVar[bool] = True
    name: ClassVar[str] = "majority"

    rows: int = 1000

    def distill(self, teacher: Any, rows: Rows, rng: Any, progress: Any) -> MethodResult:
        codes = answers(teacher.scores(rows.native()), teacher.task)
        student = self.learn(rows, codes, teacher.task, rng)
        return MethodResult(student, Status(StatusCode.COMPLETE, "All rows were counted."))

    def learn(self, rows: Rows, y: Any, task: Task, rng: Any) -> Majority:
        some = slice(0, self.rows)
        return Majority(task).fit(rows[some], task.labels[y[some]])
