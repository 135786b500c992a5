"""A student that was made before, as the first step of a way by other students."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Rows
from limbeck.core.contract import MethodResult, Student, Teacher
from limbeck.core.errors import InvalidInput
from limbeck.core.progress import Progress
from limbeck.core.registry import STUDENTS
from limbeck.core.status import Status, StatusCode
from limbeck.core.task import Task
from limbeck.methods.base import BaseMethod

__all__ = ["Given"]


@dataclass(frozen=True, eq=False)
class Given(BaseMethod):
    """Take a student as it is, without any work.

    Parameters
    ----------
    student : Student
        Fitted.
    seen : ndarray of uint64, shape (m,) or (m, 2)
        Hashes of the rows that it was made from, and of their cases where there were any.

    Raises
    ------
    InvalidInput
        If nothing is known of these rows: a certificate could not tell them from fresh ones.
    """

    name: ClassVar[str] = "a student made before"

    student: Student
    seen: NDArray[np.uint64] = field(repr=False)

    def __post_init__(self) -> None:
        if not len(self.seen):
            raise InvalidInput(
                "The earlier result does not say which rows its student was made from.",
                "Distil it again, or name the student, as in via='tree'.",
            )

    def __repr__(self) -> str:
        return f"Given({self.kind}, {self.student.fingerprint()})"

    @property
    def kind(self) -> str:
        """What the student is called."""
        return STUDENTS.name_of(type(self.student)) or type(self.student).__name__

    def distill(
        self, teacher: Teacher, rows: Rows, rng: np.random.Generator, progress: Progress
    ) -> MethodResult:
        """The student.

        Parameters
        ----------
        teacher, rows, rng, progress
            As in `limbeck.core.contract.Method.distill`; none of them is used, but the columns
            must be those of the student.

        Raises
        ------
        InvalidInput
            If the student reads other columns, or predicts other classes.
        """
        student: Any = self.student
        if student.features_.names != rows.features.names:
            raise InvalidInput(
                f"The student that was made before reads the columns"
                f" {', '.join(student.features_.names[:6])}, and X has"
                f" {', '.join(rows.features.names[:6])}.",
                "Give the rows as they were then.",
            )
        if [*map(str, student.task_.classes)] != [*map(str, teacher.task.classes)]:
            raise InvalidInput(
                "The student that was made before predicts other classes than the teacher.",
                "Give the result of this teacher.",
            )
        status = Status(StatusCode.COMPLETE, f"The {self.kind} is taken as it is.")
        return MethodResult(student, status)

    def learn(self, rows: Rows, y: NDArray[Any], task: Task, rng: np.random.Generator) -> Student:
        """Refused: a student that was made before is no control.

        Parameters
        ----------
        rows, y, task, rng
            As in `limbeck.core.contract.Method.learn`.

        Raises
        ------
        InvalidInput
            Always.
        """
        raise InvalidInput(
            "A student that was made before stands first on a way, and leads nowhere by itself.",
            "Name the student to make of it, as in into='rules'.",
        )
