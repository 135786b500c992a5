"""A teacher that is asked about some of the rows: each once, counted, none beyond a budget."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Rows
from limbeck.core.contract import Teacher
from limbeck.core.errors import InvalidInput, TeacherFailed, plural
from limbeck.teachers.endpoints.paid_teacher import PaidTeacher

__all__ = ["CountedQuestions", "answered"]

_OUTSIDE = 5  # answers outside the classes that are shown


class CountedQuestions:
    """The texts that were asked about, their scores, and what the answers cost.

    A text whose answer is in the teacher's store counts as a question too, though it costs
    nothing: so a run that is started again takes the same way, and asks only what is new.

    Parameters
    ----------
    teacher : Teacher
        Whom to ask.
    budget : int
        The most questions.

    Attributes
    ----------
    asked : int
        Questions so far.
    stored : int
        Those of them that the teacher's store answered.
    cost : float
        What the others cost.
    """

    def __init__(self, teacher: Teacher, budget: int) -> None:
        self.teacher, self.budget = teacher, budget
        self.asked = self.stored = self.failed = 0
        self.cost = 0.0
        self.outside: list[str] = []

    @property
    def left(self) -> int:
        """Questions that the budget still holds."""
        return self.budget - self.asked

    def ask(self, rows: Rows) -> NDArray[np.float64]:
        """Scores of shape (n, k); NaN in rows that the teacher gave no usable answer to.

        Parameters
        ----------
        rows : Rows
            The texts, none of which was asked about before.

        Raises
        ------
        InvalidInput
            If there are more rows than questions left.
        TeacherFailed
            If the teacher answers none of ten rows or more.
        """
        n = len(rows)
        if n > self.left:
            raise InvalidInput(
                f"{plural(n, 'question')} are to be asked, and {self.left:,} of the budget of"
                f" {self.budget:,} are left.",
                "Raise budget.",
            )
        self.asked += n
        if not isinstance(self.teacher, PaidTeacher):
            scores = np.asarray(self.teacher.scores(rows.native()), dtype=np.float64)
            if scores.shape != (n, self.teacher.task.outputs):
                raise InvalidInput(
                    f"{self.teacher.name} answers {plural(n, 'row')} with an array of shape"
                    f" {scores.shape}.",
                    "Give a teacher of classes or of one number.",
                )
            return scores
        found = self.teacher.answers(rows.native())
        self.stored += n - min(found.asked, n)
        self.cost += found.cost
        self.outside += [m.reason for m in found.missing if m.outside]
        self.failed += sum(not m.outside for m in found.missing)
        if n >= 10 and not found.answered.any():
            raise TeacherFailed(
                f"{self.teacher.name} gave no usable answer to {plural(n, 'row')}:"
                f" {found.missing[0].reason}.",
                "Check prompt and classes, and the server's log.",
            )
        return found.scores

    def bill(self, parts: dict[str, int]) -> str:
        """What was asked and what it cost, in a sentence.

        Parameters
        ----------
        parts : mapping from str to int
            Questions by what they were for.
        """
        said = ", ".join(f"{n:,} {what}" for what, n in parts.items() if n)
        out = f"Bill: {plural(self.asked, 'question')} of a budget of {self.budget:,} ({said})"
        if isinstance(self.teacher, PaidTeacher):
            out += f"; {self.stored:,} of them were answered by the store"
        if self.cost:
            spending = self.teacher.spending  # type: ignore[attr-defined]  # a service
            out += f"; {self.cost:.4g} {spending.price.currency}"
        out += "."
        if self.failed:
            verb = "is" if self.failed == 1 else "are"
            out += f" {plural(self.failed, 'text')} got no answer and {verb} left out."
        if self.outside:
            shown = "; ".join(self.outside[:_OUTSIDE])
            out += (
                f" {plural(len(self.outside), 'answer')} outside the classes, left out and taken"
                f" for none of them: {shown}."
            )
        return out


def answered(scores: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which rows have an answer, shape (n,).

    Parameters
    ----------
    scores : ndarray of shape (n, k)
        NaN where there is none.
    """
    return np.asarray(~np.isnan(scores).any(axis=1))
