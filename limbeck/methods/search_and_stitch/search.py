"""One run of the search, step by step: greedy tree, probes, descent, refinement, stitch."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Rows
from limbeck.core.contract import Access, Teacher
from limbeck.core.progress import Progress
from limbeck.core.status import StatusCode
from limbeck.core.task import Task
from limbeck.core.threads import one_blas_thread
from limbeck.data.directions import directions
from limbeck.methods.forbidden import hide
from limbeck.methods.search_and_stitch.arrivals import Arrivals
from limbeck.methods.search_and_stitch.best_first import best_first
from limbeck.methods.search_and_stitch.binned import BinnedRows
from limbeck.methods.search_and_stitch.costs import COSTS, cost_named, row_statistics
from limbeck.methods.search_and_stitch.crossfit import cut_back, greedy
from limbeck.methods.search_and_stitch.descent import Descent
from limbeck.methods.search_and_stitch.layers import LayerReport, probe_layers
from limbeck.methods.search_and_stitch.limits import TreeLimits
from limbeck.methods.search_and_stitch.literals import Literals, grid, sorted_columns
from limbeck.methods.search_and_stitch.monotone import MonotoneTrees
from limbeck.methods.search_and_stitch.plan import PlannedTree, literals_of, plan_of
from limbeck.methods.search_and_stitch.pool import Pool
from limbeck.methods.search_and_stitch.refine import look_ahead, refine
from limbeck.methods.search_and_stitch.sample import Sample
from limbeck.methods.search_and_stitch.settings import SearchSettings
from limbeck.students.tree.nodes import Nodes
from limbeck.students.tree.tree import Tree

__all__ = ["TreeSearch"]

_SURELY = 64  # leaves that are looked for even where a greedy tree ends before


class TreeSearch:
    """One run: the sample, the pool and the descent, step by step.

    Parameters
    ----------
    method : SearchSettings
        The settings; once it has grown, with no more leaves than are of use.
    rows : Rows
        Of n rows: the user's own first, then queries.
    answers : ndarray of shape (n,)
        Class indices or values.
    task : Task
        What is predicted.
    rng : numpy.random.Generator
        The source of chance.
    progress : Progress
        Told how far the work is.
    weight : ndarray of shape (n,), optional
        How much each row counts in costs and leaves; by default all the same.
    part : tuple of Sample and ndarray of shape (n,), optional
        A larger sample, and where the rows are in it: its literals serve again.
    own : int, optional
        The first rows, in which the smallest leaf is counted; by default all.
    """

    def __init__(
        self,
        method: SearchSettings,
        rows: Rows,
        answers: NDArray[Any],
        task: Task,
        rng: np.random.Generator,
        progress: Progress,
        weight: NDArray[np.float64] | None = None,
        part: tuple[Sample, NDArray[np.int64]] | None = None,
        own: int | None = None,
    ) -> None:
        self._part, self.own = part, len(rows) if own is None else own
        self.method, self.rows, self.task = method, rows, task
        self.values = hide(rows.features, rows.values, method.forbidden)
        self.answers, self.rng, self.progress = answers, rng, progress
        self.weight = np.ones(len(rows)) if weight is None else weight
        direction = directions(rows.features, task, method.monotone)
        self._direction = direction if direction.any() else None
        self.monotone: MonotoneTrees | None = None
        self.report: LayerReport | None = None
        self.seconds: dict[str, float] = {}
        self._clock = time.perf_counter()

    def grow(self) -> None:
        """The greedy tree, the literals and the pool."""
        method, task, values = self.method, self.task, self.values
        self.impurity = COSTS["gini" if task.classifies else "squared_error"]
        stats = row_statistics(self.answers, task, self.weight)
        ordered = None if self._part else sorted_columns(values)
        nodes = self._greedy = self._grown(stats, ordered)
        if self._part is None:
            even = grid(self.rows.features, values, ordered=ordered)
            self.literals = Literals(even + literals_of(nodes))
            self.sample = Sample(self.literals, values, stats, self.weight)
            self.even = np.array(sorted(self.literals.position[t] for t in even), dtype=np.int64)
        cost = cost_named(method.cost, task)
        self.method = method = _of_use(method, nodes, task)
        self.sample = self.sample.leaving(self.own, method.min_samples_leaf)
        self.pool = Pool(self.sample, cost, method.max_leaves, method.max_depth, self._direction)
        if self._direction is not None:
            self.monotone = MonotoneTrees(self.pool, self._direction, self._arrivals, task)
        self.pool.add(plan_of(nodes, self.literals))
        self.frontier = self.pool.stitch()
        sizes = [n for n in (2, 4, 8, 16, 32, 64) if n <= method.max_leaves]
        self.greedy = [(n, float(self.frontier[n - 1])) for n in sizes]
        self.descent = self._descent(None, np.arange(0))
        self.tick("greedy tree")

    def _grown(
        self, stats: NDArray[np.float32], ordered: list[NDArray[np.float64]] | None
    ) -> Nodes:
        """scikit-learn's tree; on a part of another sample, or monotone, a tree of its literals."""
        method, task = self.method, self.task
        limits = None
        if self._direction is not None:
            every = np.ones(len(self._direction), dtype=np.bool_)
            limits = TreeLimits(every, self._direction, np.zeros(len(every)), np.inf, 1)
        if self._part is not None:
            shared, kept = self._part
            data: BinnedRows = shared.part_with(kept, stats, self.weight)
            assert isinstance(data, Sample)  # noqa: S101
            self.sample, self.literals = data, data.literals
        elif limits is None:
            return greedy(
                self.rows.features, self.values, self.answers, self.weight, task,
                method.max_leaves, ordered,
            )  # fmt: skip
        else:
            literals = Literals(grid(self.rows.features, self.values, ordered=ordered))
            data = BinnedRows(literals, self.values, stats)
        return best_first(
            data, np.arange(len(self.rows)), self.impurity, self.answers, self.weight,
            len(task.classes), method.max_leaves, limits,
        )  # fmt: skip

    def probe(self, teacher: Teacher) -> LayerReport | None:
        """Activations on a part of the rows, and the probes made of them."""
        layers = teacher.layers() if Access.ACTIVATIONS in teacher.access else ()
        if self.method.layers is not None:
            layers = tuple(self.method.layers)
        if not layers or self.method.guide == "answers" or len(self.literals) == 0:
            return None
        n = min(self.method.probe_rows, len(self.rows))
        chosen = np.sort(self.rng.choice(len(self.rows), n, replace=False))
        self.progress("reading activations", 0, 1)
        phi = teacher.activations(self.rows[chosen].native(), layers)
        probed = probe_layers(phi, self.sample, chosen, self.task.classifies, self.rng)
        self.descent = self._descent(probed.probes, chosen)
        self.tick("probes set up")
        return probed

    @one_blas_thread()
    def run(self, teacher: Teacher | None = None) -> StatusCode:
        """Probe, descend with a rising budget, refine; an interrupt keeps what was found."""
        try:
            if teacher is not None:
                self.report = self.probe(teacher)
            limit = self._descend()
            self.tick("search")
            if self.share(self.frontier[-1]) > 0:
                refine(self.pool, self.impurity, self.task.classifies, self.rng, self.progress)
            self.frontier = self.pool.stitch()
            self.tick("stitch")
        except KeyboardInterrupt:
            self.frontier = self.pool.stitch()
            return StatusCode.INTERRUPTED
        return StatusCode.LIMIT if limit else StatusCode.COMPLETE

    def _descend(self) -> bool:
        """Iterative deepening with no discrepancy, then full depth with more and more."""
        if len(self.literals) == 0:
            return False
        root, full = (
            self.pool.root,
            self.method.depth or math.ceil(math.log2(self.method.max_leaves)),
        )
        best, since = self.pool.leaf_cost(root), 0
        budgets = range(1, len(self.rows.features))
        for depth, budget in [(d, 0) for d in range(1, full + 1)] + [(full, b) for b in budgets]:
            self.progress("searching", self.descent.ordered, self.method.max_clauses)
            found = self.descent.solve(root, depth, budget)
            if found <= 1e-9:
                return False
            if found < best * 0.98 or depth < full:
                best, since = min(best, found), self.descent.looked
            if self.descent.spent:
                return True
            if self.descent.looked - since > self.method.patience:
                return False
        return False

    def look_ahead(self) -> None:
        """A tree of two looks ahead, stitched with the greedy one: a light search."""
        if len(self.literals):
            look_ahead(self.pool, self.pool.root, self.method.max_leaves, self.impurity, self.rng)
        self.frontier = self.pool.stitch()

    def stitched(self) -> list[PlannedTree]:
        """The best trees with at most 1, 2, ... max_leaves leaves."""
        found = [self.pool.best(size) for size in range(1, self.method.max_leaves + 1)]
        if self.monotone is None:
            return found
        # greedy trees are grown without limits of shape
        return self.monotone.best(found, *(() if self.method.shaped else (self.cut_back(),)))

    def cut_back(self) -> list[PlannedTree]:
        """The greedy tree, cut back to at most 1, 2, ... max_leaves leaves."""
        return [
            plan_of(self._greedy, self.literals, first=2 * size - 1)
            for size in range(1, self.method.max_leaves + 1)
        ]

    @cached_property
    def _arrivals(self) -> Arrivals:
        return Arrivals(self.sample, self.answers, self.weight, self.task)

    def nodes(self, plan: PlannedTree, seen: NDArray[np.float64] | None = None) -> Nodes:
        """A tree, its leaves valued by the rows that arrive, and in order where it is monotone.

        Parameters
        ----------
        plan : PlannedTree
            The tree.
        seen : ndarray of shape (m, d), optional
            Encoded rows between which thresholds are put, which moves what is in order.
        """
        if self.monotone is None:
            return self._arrivals.nodes(plan)
        return self.monotone.nodes(plan, seen)

    def tree(self, plan: PlannedTree, seen: NDArray[np.float64]) -> Tree:
        """A tree as a student; parameters as in :meth:`nodes`.

        Parameters
        ----------
        plan, seen
            As there.
        """
        return Tree.from_nodes(self.nodes(plan, seen), self.rows.features, self.task, seen)

    def cost(self, plan: PlannedTree) -> float:
        """What a tree costs per weight; for squared error, per variance."""
        loss = self.pool.cost_of if self.monotone is None else self.monotone.loss
        return self.share(loss(plan))

    def trees(self, plans: Sequence[PlannedTree], seen: NDArray[np.float64]) -> list[Tree]:
        """Plans as students; what follows itself is made once.

        Parameters
        ----------
        plans : sequence of PlannedTree
            Of growing size.
        seen : ndarray of shape (m, d)
            Encoded rows between which thresholds are put.
        """
        out: list[Tree] = []
        for i, plan in enumerate(plans):
            same = i and plan is plans[i - 1]
            out.append(out[-1] if same else self.tree(plan, seen))
        return out

    def rivals(self, leaves: int, n: int) -> dict[str, Tree]:
        """Greedy trees of as many leaves: on all there is, and on the first n rows alone.

        Parameters
        ----------
        leaves : int
            Number of leaves.
        n : int
            Number of the user's own rows, which come first.
        """
        features, task = self.rows.features, self.task
        out = {}
        if len(self.rows) > n:
            both = cut_back(self._greedy, leaves)
            out["greedy tree on rows and queries"] = Tree.from_nodes(both, features, task)
        alone = greedy(features, self.values[:n], self.answers[:n], self.weight[:n], task, leaves)
        return {**out, "greedy tree on rows alone": Tree.from_nodes(alone, features, task)}

    def share(self, cost: float) -> float:
        """A cost per weight; for squared error, per variance."""
        scale = float(self.weight.sum())
        if not self.task.classifies:
            scale = self.pool.leaf_cost(self.pool.root)
        return max(float(cost), 0.0) / scale if scale > 0 else 0.0

    def explain(self, plan: PlannedTree) -> LayerReport | None:
        """The layer report, with the scores of a tree's own clauses."""
        return None if self.report is None else self.report.about(plan, self.sample)

    def _descent(self, probes: Any, chosen: NDArray[np.int64]) -> Descent:
        return Descent(
            self.pool,
            probes,
            chosen,
            self.impurity,
            self.method.guide,
            self.method.max_probes,
            self.method.max_clauses,
            self.rng,
        )

    def tick(self, stage: str) -> None:
        """Note the time since the last stage under the name of this one."""
        now = time.perf_counter()
        self.seconds[stage] = round(now - self._clock, 3)
        self._clock = now


def _of_use(method: SearchSettings, nodes: Nodes, task: Task) -> SearchSettings:
    """The settings with no more leaves than a greedy tree, grown to its end, leaves use for."""
    pure = task.classifies and bool((nodes.value[nodes.is_leaf].max(axis=1) > 1 - 1e-12).all())
    most = max(_SURELY, nodes.size if pure else 2 * nodes.size)
    if most >= method.max_leaves:
        return method
    leaves = None if method.leaves is None else min(method.leaves, most)
    return replace(method, max_leaves=most, leaves=leaves)
