"""The best small tree over questions from a forest: searched to its end, or to a time limit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Rows
from limbeck.core.errors import InvalidInput
from limbeck.core.registry import METHODS
from limbeck.core.status import Status
from limbeck.core.task import Task
from limbeck.data.directions import directions
from limbeck.methods.forbidden import hide
from limbeck.methods.forests import fitted_forest, forest_questions
from limbeck.methods.greedy import Greedy
from limbeck.methods.optimal_search import OptimalSearch
from limbeck.methods.search_and_stitch.arrivals import Arrivals
from limbeck.methods.search_and_stitch.binned import BinnedRows
from limbeck.methods.search_and_stitch.costs import COSTS, row_statistics
from limbeck.methods.search_and_stitch.crossfit import Index
from limbeck.methods.search_and_stitch.monotone import MonotoneTrees
from limbeck.methods.search_and_stitch.pool import Pool
from limbeck.methods.search_and_stitch.sample import Sample
from limbeck.students.tree.nodes import Nodes

__all__ = ["Optimal"]

_BY_ERRORS = 8  # leaves up to which misclassification is the goal


@METHODS.register("optimal")
@dataclass(frozen=True)
class Optimal(Greedy):
    """The best tree of small depth over a forest's questions, by dynamic programming.

    Best among trees of so many leaves and so much depth over the questions, on the rows and
    queries: of the least misclassification up to 8 leaves, of the least Gini impurity beyond (where
    misclassification is flat), or of the least squared error.

    Parameters
    ----------
    max_leaves, epsilon, leaves, queries, sampler, query_weight, max_rows
        As in `limbeck.methods.greedy.Greedy`.
    monotone, max_depth, min_samples_leaf, forbidden
        As in `limbeck.methods.greedy.Greedy`; ``max_depth`` is 3 where none is given. Depth 4 takes
        minutes over 40 questions and hours over 100. Of monotone trees none is proven the best.
    thresholds : int
        Questions, of those by which a forest on the teacher's answers gains most.
    time_limit : float
        Seconds for a search; trees of rows left out take one each.
    """

    name: ClassVar[str] = "optimal tree"
    effort: ClassVar[float] = 2.5
    without: ClassVar[tuple[str, ...]] = ("feature_costs",)
    guarantee: ClassVar[str] = "best of its depth, if the search ends"

    max_leaves: int = 8
    soft: bool | None = False
    thresholds: int = 60

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, least in (("thresholds", 1), ("time_limit", 0)):
            if not getattr(self, name) >= least:
                raise InvalidInput(f"{name} is {getattr(self, name)}.", f"Give {least} or more.")

    def _data(
        self,
        rows: Rows,
        answers: NDArray[Any],
        weight: NDArray[np.float64],
        task: Task,
        forest: list[Nodes] | None,
        rng: np.random.Generator,
    ) -> BinnedRows:
        """The questions that a forest on the teacher's answers asks, and all rows."""
        features = rows.features
        values = hide(features, rows.values, self.forbidden)
        trees = fitted_forest(features, values, answers, weight, task, rng)
        allowed = self.limits(features, task, 2 * len(rows)).allowed
        return forest_questions(trees, rows, self.thresholds, allowed)

    def _family(
        self,
        data: BinnedRows,
        rows: Rows,
        kept: Index,
        target: NDArray[Any],
        weight: NDArray[np.float64],
        task: Task,
        own: int,
        limit: float,
        check: bool = False,
    ) -> tuple[list[Nodes], bool]:
        """The best trees of at most 1, 2, ... leaves, and whether that is proven."""
        assert isinstance(data, Sample)  # noqa: S101
        sample = data.part_with(kept, row_statistics(target, task, weight), weight)
        goal = "misclassification" if self.max_leaves <= _BY_ERRORS else "gini"
        cost = COSTS[goal if task.classifies else "squared_error"]
        sample = sample.leaving(own, self.min_samples_leaf)
        direction = directions(rows.features, task, self.monotone)
        arrivals = Arrivals(sample, target, weight, task)
        ordered = None
        if direction.any():
            pool = Pool(sample, cost, 2)  # which knows what a tree costs
            ordered = MonotoneTrees(pool, direction, arrivals, task)
        search = OptimalSearch(sample, cost, self.max_leaves, self.max_depth or 3, limit, ordered)
        plans = search.trees()
        if ordered is None:
            nodes = arrivals.of_sizes(plans)
        else:
            values = rows.values[kept]
            nodes = [ordered.nodes(plan, values) for plan in ordered.best(plans)]
        return nodes, search.proven

    def _said(self, status: Status, proven: bool) -> Status:
        """The status, and whether a better tree may be there."""
        depth = self.max_depth or 3
        if not proven:
            more = "The time limit was reached: global optimality is not proven."
        elif self.monotone:
            more = f"A better monotone tree of depth {depth} over these questions is not ruled out."
        else:
            more = (
                f"No tree of depth {depth} over these questions has less loss on rows and queries."
            )
        return replace(status, message=f"{status.message} {more}")
