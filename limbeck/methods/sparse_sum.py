"""A sparse sum out of any teacher: terms by orthogonal least squares, weights by its soft answers.

The target of the selection is the teacher's logit, clipped at 3 on both sides, or its value:
beyond that a teacher is sure, and a sum need not follow it further. Then all weights are fitted
together to the teacher's probabilities.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from limbeck.core.registry import METHODS
from limbeck.core.task import Task
from limbeck.methods.sums import SumMethod
from limbeck.students.sparse_sum.base import SumOfTerms
from limbeck.students.sparse_sum.search import SearchedSums, search, search_families, spans_of
from limbeck.students.sparse_sum.sparse_sum import SparseSum
from limbeck.students.sparse_sum.sum_data import SumData

__all__ = ["SelectTerms"]


@METHODS.register("sparse_sum")
@dataclass(frozen=True)
class SelectTerms(SumMethod):
    """Add up a few columns, steps, hinges and AND rules, chosen by gain per number.

    Its settings are those of `limbeck.methods.sums.SumMethod`.
    """

    into: ClassVar[str] = "sparse_sum"
    effort: ClassVar[float] = 1.3
    default: ClassVar[bool] = True
    name: ClassVar[str] = "sparse sum"

    def _by_family(
        self, data: SumData, rng: np.random.Generator, task: Task
    ) -> dict[str, list[SumOfTerms]]:
        fill, families = search_families(data, self._doubling(), rng)
        return {
            name: [
                SparseSum.from_sum(s, fill, data.features, task, spans_of(s, data, fill))
                for s in sums
            ]
            for name, sums in families.items()
        }

    def _searched(
        self, data: SumData, rng: np.random.Generator, task: Task
    ) -> tuple[SearchedSums, list[SumOfTerms]]:
        found = search(
            data, self._sizes(), rng, epsilon=self.epsilon, fixed=self.numbers is not None
        )
        students: list[SumOfTerms] = [
            SparseSum.from_sum(s, found.fill, data.features, task, spans_of(s, data, found.fill))
            for s in found.sums
        ]
        return found, students
