"""Students of growing size, judged on rows left out, and what is said of the one that is chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Rows
from limbeck.core.errors import plural
from limbeck.core.status import Status, StatusCode
from limbeck.core.task import Task
from limbeck.data.smallest_size import smallest_within
from limbeck.data.splits import FOLDS
from limbeck.methods.search_and_stitch.crossfit import row_losses
from limbeck.methods.search_and_stitch.queries import AnsweredQueries

__all__ = ["SizedStudents", "left_out", "losses_of"]

S = TypeVar("S")
Index = NDArray[np.int64]
Losses = NDArray[np.float64]


def losses_of(student: Any, rows: Rows, answers: NDArray[Any], task: Task) -> Losses:
    """Loss on each row: disagreement, or the squared error.

    Parameters
    ----------
    student : Student
        Of classes with probabilities, or of values.
    rows : Rows
        Of n rows.
    answers : ndarray of shape (n,)
        The teacher's: positions of classes, or values.
    task : Task
        What they are.
    """
    said = student.predict_proba(rows) if task.classifies else student.predict(rows)[:, None]
    return row_losses(said, answers, task)


def left_out(
    rows: Rows,
    answers: NDArray[Any],
    weight: NDArray[np.float64],
    task: Task,
    fold: Index,
    sizes: int,
    grown: Callable[[int, Index], Sequence[Any]],
) -> Losses | None:
    """Losses on each row by students grown without its fold, shape (sizes, n); None for few rows.

    Values: divided by the variance of the answers.

    Parameters
    ----------
    rows : Rows
        The user's own, n of them.
    answers, weight : ndarray of shape (n,)
        The teacher's answers, and how much each row counts.
    task : Task
        What the answers are.
    fold : ndarray of shape (n,), int
        The fold of every row.
    sizes : int
        How many sizes; where fewer were grown, the last stands for larger ones.
    grown : callable
        From a fold and the rows outside of it to students of growing size.
    """
    if len(rows) < 2 * FOLDS:
        return None
    out = np.zeros((sizes, len(rows)))
    for at in range(FOLDS):
        judged, own = np.flatnonzero(fold == at), np.flatnonzero(fold != at)
        if not len(judged) or not len(own):
            continue
        students, there, told = grown(at, own), rows[judged], answers[judged]
        for size in range(sizes):
            if size < len(students):
                out[size, judged] = losses_of(students[size], there, told, task)
            else:
                out[size, judged] = out[size - 1, judged]
    return out / spread(answers, weight, task)


def spread(answers: NDArray[Any], weight: NDArray[np.float64], task: Task) -> float:
    """The variance of the teacher's answers, by which squared errors are divided; 1 for classes.

    Parameters
    ----------
    answers, weight : ndarray of shape (n,)
        The answers, and how much each counts.
    task : Task
        What they are.
    """
    if task.classifies:
        return 1.0
    middle = np.average(answers, weights=weight)
    return max(float(np.average((answers - middle) ** 2, weights=weight)), 1e-30)


@dataclass(frozen=True)
class SizedStudents(Generic[S]):
    """Students of growing size, and how close they are to the teacher.

    Parameters
    ----------
    students : sequence
        Of growing size.
    seen : ndarray of shape (sizes,)
        Mean losses on the rows, weighted.
    queries : ndarray of shape (sizes,) or None
        Mean losses on the queries; None for none.
    left_out : ndarray of shape (sizes or more, n) or None
        Losses on each row left out.
    weight : ndarray of shape (n,)
        How much each row counts.
    classifies : bool
        Whether losses are disagreement, or else the share of variance unexplained.
    """

    students: Sequence[S]
    seen: NDArray[np.float64]
    queries: NDArray[np.float64] | None
    left_out: Losses | None
    weight: NDArray[np.float64]
    classifies: bool

    @classmethod
    def of(
        cls,
        students: Sequence[S],
        rows: Rows,
        answers: NDArray[Any],
        weight: NDArray[np.float64],
        task: Task,
        left_out: Losses | None,
        asked: AnsweredQueries | None = None,
    ) -> Self:
        """The students with their losses on the rows, and on the queries where there are some.

        Parameters
        ----------
        students : sequence
            Of growing size.
        rows : Rows
            The user's own, n of them.
        answers, weight : ndarray of shape (n,)
            The teacher's answers, and how much each row counts.
        task : Task
            What the answers are.
        left_out : ndarray of shape (sizes or more, n) or None
            As the function of that name returned.
        asked : AnsweredQueries, optional
            The queries.
        """
        unit = spread(answers, weight, task)
        seen = [np.average(losses_of(s, rows, answers, task), weights=weight) for s in students]
        queries = None
        if asked is not None and len(asked.rows):
            found = [losses_of(s, asked.rows, asked.answers, task).mean() for s in students]
            queries = np.array(found) / unit
        return cls(students, np.array(seen) / unit, queries, left_out, weight, task.classifies)

    def trace(self) -> dict[str, Any]:
        """Sizes and losses for the trace of a result, on the rows and on rows left out."""
        students: Sequence[Any] = self.students
        sizes = [s.size for s in students]
        losses = [] if self.left_out is None else [self.expected(i) for i in range(len(sizes))]
        return {
            "cost": "misclassification" if self.classifies else "squared_error",
            "frontier": [[n, float(c)] for n, c in zip(sizes, self.seen, strict=True)],
            "left_out": [[n, c] for n, c in zip(sizes, losses, strict=False)],
        }

    def choose(self, epsilon: float) -> int:
        """The position of the smallest student that is close enough.

        That is within epsilon / 2, or one standard error of the best (Breiman et al. 1984,
        section 3.4.3), on rows left out; on the rows where there are too few.
        """
        losses = self.left_out
        if losses is None:
            n = len(self.weight)
            losses = np.repeat(self.seen[:, None], n, axis=1)
        return min(smallest_within(losses, self.weight, epsilon), len(self.students) - 1)

    def expected(self, at: int) -> float:
        """The loss to expect of a student on new rows."""
        if self.left_out is None:
            return float(self.seen[at])
        return float(np.average(self.left_out[at], weights=self.weight))

    def status(self, at: int, epsilon: float, limit: str) -> Status:
        """How the search ended, and what would bring the student closer.

        Parameters
        ----------
        at : int
            The student that was chosen.
        epsilon : float
            The loss aimed at.
        limit : str
            The setting that allows larger students.
        """
        student: Any = self.students[at]
        one, unit = student.size_unit.removesuffix("s").removesuffix("ve"), student.size_unit
        one = "leaf" if unit == "leaves" else one
        what = f"The student of {plural(student.size, one, unit)}"
        if self.seen[at] <= 1e-12 and (self.queries is None or self.queries[at] <= 1e-12):
            rows = "all rows" if self.queries is None else "all rows and queries"
            return Status(StatusCode.EXACT, f"{what} agrees with the teacher on {rows}.")
        link = "of" if self.classifies else "on"
        parts = [f"{self.seen[at]:.1%} {link} the rows"]
        if self.queries is not None:
            parts.append(f"{self.queries[at]:.1%} {link} the queries")
        if self.left_out is not None:
            parts.append(f"{self.expected(at):.1%} {link} rows left out ({FOLDS}-fold)")
        listed = ", ".join(parts[:-1]) + (" and " if len(parts) > 1 else "") + parts[-1]
        how = f"differs from the teacher on {listed}"
        if not self.classifies:
            share, where = listed.split(" ", 1)
            how = f"does not explain {share} of the teacher's variance {where}"
        return Status(StatusCode.COMPLETE, f"{what} {how}.", self._remedy(at, epsilon, limit))

    def _remedy(self, at: int, epsilon: float, limit: str) -> str:
        if self.expected(at) <= epsilon:
            return ""
        most = len(self.students) - 1
        if self.expected(most) < self.expected(at) - 0.005:
            return "More agree better: set the size yourself, or a smaller epsilon."
        if at == most:
            return f"Raise {limit} for a closer one."
        return (
            "Larger ones agree no better on rows left out; give more rows, or choose another kind"
            " of student."
        )
