"""One tree out of a forest: the questions of its trees, stitched into the best of each size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Rows
from limbeck.core.errors import InvalidInput
from limbeck.core.registry import METHODS
from limbeck.core.task import Task
from limbeck.data.directions import directions
from limbeck.methods.forbidden import hide
from limbeck.methods.forests import fitted_forest, forest_questions
from limbeck.methods.greedy import Greedy
from limbeck.methods.search_and_stitch.arrivals import Arrivals
from limbeck.methods.search_and_stitch.best_first import best_first
from limbeck.methods.search_and_stitch.binned import BinnedRows
from limbeck.methods.search_and_stitch.costs import COSTS, row_statistics
from limbeck.methods.search_and_stitch.crossfit import Index
from limbeck.methods.search_and_stitch.monotone import MonotoneTrees
from limbeck.methods.search_and_stitch.plan import plan_of
from limbeck.methods.search_and_stitch.pool import Pool
from limbeck.methods.search_and_stitch.refine import look_ahead
from limbeck.methods.search_and_stitch.sample import Sample
from limbeck.students.tree.nodes import Nodes

__all__ = ["FromForest"]

_SURELY = 64  # leaves that are looked for even where a greedy tree ends before


@METHODS.register("from_forest")
@dataclass(frozen=True)
class FromForest(Greedy):
    """A forest into one tree: its questions, greedily and two levels ahead, stitched.

    The questions are those by which the teacher's own trees gain most, where it is a forest of
    scikit-learn on these columns; else those of a forest fitted to its answers. A greedy tree and
    one of two looks ahead over these questions share a pool, and the best tree of every size is
    stitched from it.

    Parameters
    ----------
    max_leaves, epsilon, leaves, queries, sampler, query_weight, max_rows
        As in `limbeck.methods.greedy.Greedy`.
    monotone, max_depth, min_samples_leaf, forbidden
        As in `limbeck.methods.greedy.Greedy`.
    thresholds : int
        Questions at most.
    """

    name: ClassVar[str] = "tree from a forest"
    effort: ClassVar[float] = 1.2
    without: ClassVar[tuple[str, ...]] = ("feature_costs",)

    soft: bool | None = False
    thresholds: int = 300

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.thresholds < 1:
            raise InvalidInput(f"thresholds is {self.thresholds}.", "Give 1 or more.")

    def _data(
        self,
        rows: Rows,
        answers: NDArray[Any],
        weight: NDArray[np.float64],
        task: Task,
        forest: list[Nodes] | None,
        rng: np.random.Generator,
    ) -> BinnedRows:
        """The questions of the forest, and all rows."""
        features = rows.features
        values = hide(features, rows.values, self.forbidden)
        trees = forest or fitted_forest(features, values, answers, weight, task, rng)
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
        """The best trees of at most 1, 2, ... leaves within the pool."""
        assert isinstance(data, Sample)  # noqa: S101
        sample = data.part_with(kept, row_statistics(target, task, weight), weight)
        sample = sample.leaving(own, self.min_samples_leaf)
        impurity = COSTS["gini" if task.classifies else "squared_error"]
        goal = COSTS["misclassification"] if task.classifies else impurity
        greedy, most = None, min(self.max_leaves, _SURELY)
        if len(sample.literals):
            limits = None  # what is forbidden is no question here
            if self.max_depth is not None or self.min_samples_leaf > 1 or self.monotone:
                limits = self.limits(rows.features, task, 2 * self.min_samples_leaf)
            greedy = best_first(
                sample, np.arange(len(kept)), impurity, target, weight, len(task.classes),
                self.max_leaves, limits, own,
            )  # fmt: skip
            most = min(self.max_leaves, max(_SURELY, 2 * greedy.size))  # it needs no more leaves
        direction = directions(rows.features, task, self.monotone)
        pool = Pool(sample, goal, most, self.max_depth, direction)
        if greedy is not None:
            pool.add(plan_of(greedy, sample.literals))
            look_ahead(pool, pool.root, most, impurity, np.random.default_rng(0))
        pool.stitch()
        sizes = range(1, most + 1)
        plans = [pool.best(m) for m in sizes]
        arrivals = Arrivals(sample, target, weight, task)
        if direction.any():
            ordered = MonotoneTrees(pool, direction, arrivals, task)
            grown = greedy or Nodes.leaf([0.0])
            cut = [plan_of(grown, sample.literals, first=2 * m - 1) for m in sizes]
            values = rows.values[kept]
            nodes = [ordered.nodes(plan, values) for plan in ordered.best(plans, cut)]
        else:
            nodes = arrivals.of_sizes(plans)
        return nodes + nodes[-1:] * (self.max_leaves - most), True
