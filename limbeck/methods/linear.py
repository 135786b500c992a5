"""A linear student out of any teacher: dense, or sparse along an L1 path."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Rows
from limbeck.core.errors import InvalidInput, plural
from limbeck.core.registry import METHODS
from limbeck.core.status import Status, StatusCode
from limbeck.core.task import Task
from limbeck.methods.soft_answers import AskedTeacher
from limbeck.methods.sums import SumMethod
from limbeck.students.linear.linear import Linear, dense_fit, l1_path, linear_of
from limbeck.students.sparse_sum.base import SumOfTerms
from limbeck.students.sparse_sum.search import SearchedSums
from limbeck.students.sparse_sum.sum_data import SumData
from limbeck.students.targets import read_weight

__all__ = ["L1Path", "MatchLinear", "match_linear"]


@METHODS.register("dense")
@dataclass(frozen=True)
class MatchLinear(SumMethod):
    """Fit a weight for every column and level to the teacher's soft answers.

    Parameters
    ----------
    queries, sampler, query_weight, monotone, forbidden
        As in `limbeck.methods.sums.SumMethod`; ``max_numbers`` and ``numbers`` are refused, since
        all columns have a weight.

    Raises
    ------
    InvalidInput
        If a setting is out of range, or a size is given.
    """

    into: ClassVar[str] = "linear"
    effort: ClassVar[float] = 0.1
    without: ClassVar[tuple[str, ...]] = ("feature_costs",)
    guarantee: ClassVar[str] = "least loss of all weights"
    default: ClassVar[bool] = True
    name: ClassVar[str] = "linear"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.numbers is not None or self.max_numbers != SumMethod.max_numbers:
            raise InvalidInput(
                f"A size of {self.numbers or self.max_numbers} numbers was asked of a linear model"
                " of all columns.",
                "Use method='l1_path', or into='sparse_sum'.",
            )

    def limited(self, numbers: int) -> Self:
        """The method itself: its size is that of the table."""
        return self

    def _status(self, found: SearchedSums, student: SumOfTerms, asked: AskedTeacher) -> Status:
        return Status(
            StatusCode.COMPLETE,
            f"The teacher's soft answers are fitted by {plural(student.numbers, 'weight')}.",
        )

    def _by_family(
        self, data: SumData, rng: np.random.Generator, task: Task
    ) -> dict[str, list[SumOfTerms]]:
        kept, fill = dense_fit(data)
        return {"": [linear_of(kept, fill, data, task)]}

    def _searched(
        self, data: SumData, rng: np.random.Generator, task: Task
    ) -> tuple[SearchedSums, list[SumOfTerms]]:
        kept, fill = dense_fit(data)
        found = SearchedSums(
            fill, (kept.numbers,), (kept,), ("columns",), None, data.weight, 0, len(kept.terms)
        )
        return found, [linear_of(kept, fill, data, task)]


def match_linear(
    rows: Rows, soft: NDArray[np.float64], weight: NDArray[np.float64] | None, task: Task
) -> Linear:
    """A linear student of soft answers on some rows; the baseline of every run.

    Parameters
    ----------
    rows : Rows
        n of them.
    soft : ndarray of shape (n, k)
        Probabilities, or values of shape (n, 1).
    weight : ndarray of shape (n,), optional
        How much each row counts.
    task : Task
        What is predicted.
    """
    n = len(rows)
    known = read_weight(weight, n)
    data = SumData(
        rows.features, rows.values, soft, known / known.mean(), np.zeros(n, dtype=np.int64),
        np.ones(n, dtype=np.bool_), task.classifies,
    )  # fmt: skip
    found, fill = dense_fit(data)
    return Linear.from_sum(found, fill, rows.features, task)


@METHODS.register("l1_path")
@dataclass(frozen=True)
class L1Path(SumMethod):
    """Keep the columns and levels that an L1 penalty keeps, and refit their weights.

    Its settings are those of `limbeck.methods.sums.SumMethod`.
    """

    into: ClassVar[str] = "linear"
    effort: ClassVar[float] = 1.0
    without: ClassVar[tuple[str, ...]] = ("feature_costs",)
    name: ClassVar[str] = "L1 path"

    def _by_family(
        self, data: SumData, rng: np.random.Generator, task: Task
    ) -> dict[str, list[SumOfTerms]]:
        one_fold = replace(data, fold=np.zeros_like(data.fold))  # nothing to cross-fit on
        found = l1_path(one_fold, self._doubling(), rng, fixed=True)
        return {"": [linear_of(s, found.fill, data, task) for s in found.sums]}

    def _searched(
        self, data: SumData, rng: np.random.Generator, task: Task
    ) -> tuple[SearchedSums, list[SumOfTerms]]:
        found = l1_path(
            data, self._sizes(), rng, epsilon=self.epsilon, fixed=self.numbers is not None
        )
        students: list[SumOfTerms] = [linear_of(s, found.fill, data, task) for s in found.sums]
        return found, students
