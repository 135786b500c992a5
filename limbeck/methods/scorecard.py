"""A scorecard out of any teacher: a sparse sum whose weights are rounded to whole points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from limbeck.core.errors import whole_number
from limbeck.core.registry import METHODS
from limbeck.core.task import Task
from limbeck.methods.sums import SumMethod
from limbeck.students.scorecard.scorecard import cards, cards_by_family
from limbeck.students.sparse_sum.base import SumOfTerms
from limbeck.students.sparse_sum.search import SearchedSums
from limbeck.students.sparse_sum.sum_data import SumData

__all__ = ["RoundToPoints"]


@METHODS.register("scorecard")
@dataclass(frozen=True)
class RoundToPoints(SumMethod):
    """Add up whole points for a few columns, steps and AND rules; a table gives the probability.

    The size is chosen before rounding; a scale is searched at which rounding costs least.

    Parameters
    ----------
    max_points : int
        The most points of a term.
    max_numbers, numbers, epsilon, queries, sampler, query_weight, forbidden
        As in `limbeck.methods.sums.SumMethod`.
    """

    into: ClassVar[str] = "scorecard"
    effort: ClassVar[float] = 1.4
    default: ClassVar[bool] = True
    name: ClassVar[str] = "scorecard"

    max_points: int = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        whole_number("max_points", self.max_points, 1)

    def _by_family(
        self, data: SumData, rng: np.random.Generator, task: Task
    ) -> dict[str, list[SumOfTerms]]:
        found = cards_by_family(data, task, self._doubling(), self.max_points, rng)
        return {name: list(made) for name, made in found.items()}

    def _searched(
        self, data: SumData, rng: np.random.Generator, task: Task
    ) -> tuple[SearchedSums, list[SumOfTerms]]:
        found, made = cards(
            data, task, self._sizes(), self.max_points, rng, epsilon=self.epsilon,
            fixed=self.numbers is not None,
        )  # fmt: skip
        students: list[Any] = list(made)
        return found, students
