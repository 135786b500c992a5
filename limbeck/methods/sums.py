"""What methods share that lead to a sum of terms: settings, the control, baselines, a status."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Rows
from limbeck.core.contract import MethodResult, Sampler, Student, Teacher
from limbeck.core.errors import InvalidInput, plural, whole_number
from limbeck.core.progress import Progress
from limbeck.core.status import Status, StatusCode
from limbeck.core.task import Task
from limbeck.data.class_weights import ClassWeight
from limbeck.data.directions import check_monotone, directions
from limbeck.methods.answered_rows import ROWS_ALONE, AllSizes, AnsweredRows
from limbeck.methods.base import BaseMethod
from limbeck.methods.budgets import check_queries
from limbeck.methods.feature_costs import check_costs, costs_by_column
from limbeck.methods.forbidden import forbidden_columns, hide
from limbeck.methods.soft_answers import AskedTeacher, ask_softly
from limbeck.students.sparse_sum.base import SumOfTerms
from limbeck.students.sparse_sum.search import SearchedSums
from limbeck.students.sparse_sum.sizes import doubling_up_to, sizes_up_to
from limbeck.students.sparse_sum.sparse_sum import label_data
from limbeck.students.sparse_sum.sum_data import SumData

__all__ = ["SumMethod"]

_MOST_ROWS = 10_000  # to which weights are fitted where sums are only compared


@dataclass(frozen=True)
class SumMethod(BaseMethod):
    """Settings and steps of methods that choose a sum of terms by its numbers.

    Parameters
    ----------
    max_numbers : int
        The largest sum that is considered, in numbers that a reader must hold.
    numbers : int or None
        Take the best sum of at most so many numbers instead of the smallest that is as good.
    epsilon : float
        The disagreement aimed at. Chosen is the smallest sum whose disagreement on rows left out
        (5-fold) is within half of it, or within one standard error of the best (Breiman et al.
        1984, section 3.4.3). For regression it is the share of variance left unexplained.
    queries : int or None
        Fresh rows to ask the teacher about; None for 2,000 for classes and fewer than 3,000 rows,
        where queries were measured to help, and 0 elsewhere.
    sampler : str or Sampler
        Where queries come from; ``"auto"`` is ``"munge"``.
    query_weight : float
        Share of the whole weight that the queries carry together, however many they are; but no
        query counts more than a row.
    monotone : mapping from str to {-1, 1}
        Columns with which the sum, and so the value or the probability of the second of two
        classes, may only rise (1) or fall (-1).
    feature_costs : mapping from str to float
        What reading a column must explain beyond what its terms cost, as a share of the variance of
        the values or clipped logits.
    forbidden : sequence of str
        Columns that no term may use.

    Raises
    ------
    InvalidInput
        If a setting is out of range.
    """

    by_numbers: ClassVar[bool] = True

    max_numbers: int = 32
    numbers: int | None = None
    epsilon: float = 0.05
    queries: int | None = None
    sampler: str | Sampler = "auto"
    query_weight: float = 0.5
    monotone: Mapping[str, int] = field(default_factory=dict)
    feature_costs: Mapping[str, float] = field(default_factory=dict)
    forbidden: Sequence[str] = ()

    def __post_init__(self) -> None:
        whole_number("max_numbers", self.max_numbers, 1)
        if self.numbers is not None:
            whole_number("numbers", self.numbers, 1)
        if self.queries is not None:
            whole_number("queries", self.queries)
        if not 0 <= self.epsilon < 1:
            raise InvalidInput(f"epsilon is {self.epsilon}.", "Give a share from 0 to below 1.")
        check_queries(self.queries, self.sampler, self.query_weight)
        check_monotone(self.monotone)
        check_costs(self.feature_costs)
        self.check_available()

    @abstractmethod
    def _searched(
        self, data: SumData, rng: np.random.Generator, task: Task
    ) -> tuple[SearchedSums, list[SumOfTerms]]:
        """Sums of all sizes, and the students that they are."""

    @abstractmethod
    def _by_family(
        self, data: SumData, rng: np.random.Generator, task: Task
    ) -> dict[str, list[SumOfTerms]]:
        """Sums of doubling sizes for each family of terms, without cross-fitting."""

    def all_sizes(
        self, asked: AnsweredRows, rng: np.random.Generator, progress: Progress
    ) -> AllSizes:
        """Sums of doubling sizes, a variant for each family of terms; see `BaseMethod.all_sizes`.

        Where queries are used there is another for each family on the rows alone: where queries
        do not lie as rows do, such as images whose pixels were drawn anew, they mislead.

        Parameters
        ----------
        asked, rng, progress
            As there.
        """
        progress("choosing terms", 0, 1)
        task, data = asked.teacher.task, asked.for_sums(_MOST_ROWS)
        found: dict[str, Sequence[Student]] = {
            **self._by_family(self._within(data, task), rng, task)
        }
        if not data.judged.all():
            alone = self._within(asked.limited(0).for_sums(_MOST_ROWS), task)
            for name, sums in self._by_family(alone, rng, task).items():
                found[", ".join(filter(None, (name, ROWS_ALONE)))] = sums
        return AllSizes(found)

    def variant_sizes(
        self, asked: AnsweredRows, rng: np.random.Generator, progress: Progress, variant: str
    ) -> AllSizes:
        """Sums of one variant: on the rows alone, or with queries; see `BaseMethod.variant_sizes`.

        Parameters
        ----------
        asked, rng, progress, variant
            As there.
        """
        if not variant.endswith(ROWS_ALONE):
            progress("choosing terms", 0, 1)
            task, data = asked.teacher.task, asked.for_sums(_MOST_ROWS)
            return AllSizes(self._by_family(self._within(data, task), rng, task))
        name = variant.removesuffix(ROWS_ALONE).removesuffix(", ")
        found = self.variant_sizes(asked.limited(0), rng, progress, name)
        return AllSizes({variant: found.students.get(name, ())})

    def distill(
        self,
        teacher: Teacher,
        rows: Rows,
        rng: np.random.Generator,
        progress: Progress,
        sample_weight: NDArray[np.float64] | None = None,
        class_weight: ClassWeight = None,
    ) -> MethodResult:
        """Distil; see :class:`limbeck.core.contract.Method`.

        Parameters
        ----------
        teacher, rows, rng, progress
            As there.
        sample_weight : ndarray of shape (n,), optional
            How much each row counts.
        class_weight : "balanced", mapping or None
            How much rows and queries count by the teacher's class.

        Raises
        ------
        AccessDenied
            If queries are asked of a teacher that answers stored rows only.
        """
        forbidden_columns(rows.features, self.forbidden)  # refuses unknown names before any work
        directions(rows.features, teacher.task, self.monotone)
        costs_by_column(rows.features, self.feature_costs)
        asked = ask_softly(
            teacher, rows, rng, progress, queries=self.queries, sampler=self.sampler,
            query_weight=self.query_weight, sample_weight=sample_weight,
            class_weight=class_weight,
        )  # fmt: skip
        asked = replace(asked, data=self._within(asked.data, teacher.task))
        progress("choosing terms", 0, 1)
        found, students = self._searched(asked.data, rng, teacher.task)
        student = students[found.chosen]
        if self.feature_costs and not any(s.sum_.terms for s in students):
            raise InvalidInput(
                "feature_costs leave no column that explains more than it costs.",
                "Lower them, or leave feature_costs out.",
            )
        frontier = {s.numbers: s for s in reversed(students)}
        return MethodResult(
            student,
            self._status(found, student, asked),
            asked.queries,
            tuple(frontier[size] for size in sorted(frontier)),
            _trace(found, students, asked),
        )

    def learn(
        self,
        rows: Rows,
        y: NDArray[Any],
        task: Task,
        rng: np.random.Generator,
        sample_weight: NDArray[np.float64] | None = None,
    ) -> SumOfTerms:
        """The control: terms chosen and weights fitted on labels, with no teacher.

        Parameters
        ----------
        rows : Rows
            Of n rows.
        y : ndarray of shape (n,)
            Class indices or values.
        task : Task
            What they are.
        rng : numpy.random.Generator
            Deals rows to folds.
        sample_weight : ndarray of shape (n,), optional
            How much each row counts.
        """
        labels = task.labels[y] if task.classifies else y
        data, task = label_data(rows, labels, sample_weight, task, rng)
        found, students = self._searched(self._within(data, task), rng, task)
        return students[found.chosen]

    def _within(self, data: SumData, task: Task) -> SumData:
        """The data with what the sum must keep to."""
        features = data.features
        return replace(
            data,
            values=hide(features, data.values, self.forbidden),
            rises=directions(features, task, self.monotone) if self.monotone else None,
            costs=costs_by_column(features, self.feature_costs) if self.feature_costs else None,
        )

    def _doubling(self) -> tuple[int, ...]:
        return doubling_up_to(self.numbers or self.max_numbers)

    def _sizes(self) -> tuple[int, ...]:
        return sizes_up_to(self.numbers or self.max_numbers)

    def _status(self, found: SearchedSums, student: SumOfTerms, asked: AskedTeacher) -> Status:
        data = asked.data
        own = np.flatnonzero(data.judged)
        said = student.predict(Rows(data.features, data.values[own]))
        hard = data.answers()[own]
        held = plural(student.numbers, "number")
        if data.classifies and (said == student.task_.labels[hard]).all():
            return Status(
                StatusCode.EXACT, f"A sum of {held} agrees with the teacher on every row it saw."
            )
        message = f"A sum of {held} was chosen among {plural(found.candidates, 'term')}"
        if found.losses is None:
            return Status(StatusCode.COMPLETE, f"{message}; there were too few rows to leave out.")
        lost = float(np.average(found.losses[found.chosen], weights=found.weight))
        what = "it differs from the teacher on" if data.classifies else "it does not explain"
        remedy = ""
        if lost > self.epsilon and found.chosen == len(found.sizes) - 1:
            remedy = f"Give max_numbers above {self.numbers or self.max_numbers}."
        elif lost > self.epsilon:
            remedy = "More numbers of this kind do not help: try into='tree'."
        of = "of rows left out" if data.classifies else "of the teacher's variance on rows left out"
        message += f"; {what} {lost:.1%} {of}"
        return Status(StatusCode.COMPLETE, f"{message}.", remedy)


def _trace(found: SearchedSums, students: list[SumOfTerms], asked: AskedTeacher) -> dict[str, Any]:
    """What was found, in numbers."""
    trace: dict[str, Any] = {
        "terms_tried": found.candidates,
        "queries": asked.queries,
        "sampler": asked.sampler,
        "terms": found.families[found.chosen],
    }
    if found.losses is not None:
        left_out = np.average(found.losses, axis=1, weights=found.weight)
        costs = {s.numbers: float(c) for s, c in zip(students, left_out, strict=True)}
        trace["frontier"] = [[n, costs[n]] for n in sorted(costs)]
        trace["left_out"] = trace["frontier"]
    return trace
