"""A greedy tree on the teacher's answers: CART, best first, with queries and constraints.

The plainest way to a tree (Breiman, Friedman, Olshen and Stone 1984), with what makes it good here:
queries that count as much as the rows, a size chosen on rows left out, and, where the teacher gives
probabilities, the choice between these and its answers, made on rows left out as well.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from limbeck.core.answers import ScoreKind, probabilities
from limbeck.core.columns import Rows
from limbeck.core.contract import MethodResult, Teacher
from limbeck.core.errors import InvalidInput
from limbeck.core.progress import Progress
from limbeck.core.registry import METHODS
from limbeck.core.status import Status, StatusCode
from limbeck.core.task import Task
from limbeck.data.class_weights import ClassWeight
from limbeck.data.smallest_size import smallest_within
from limbeck.data.splits import FOLDS, split_folds
from limbeck.methods.answered_rows import AllSizes, AnsweredRows
from limbeck.methods.base import BaseMethod
from limbeck.methods.budgets import check_queries, check_size, leaves_note, query_budget
from limbeck.methods.forests import trees_of_teacher
from limbeck.methods.search_and_stitch.best_first import best_first
from limbeck.methods.search_and_stitch.binned import BinnedRows
from limbeck.methods.search_and_stitch.costs import COSTS, row_statistics
from limbeck.methods.search_and_stitch.crossfit import Index, cut_back, inside, row_losses
from limbeck.methods.search_and_stitch.limits import TreeConstraints
from limbeck.methods.search_and_stitch.literals import Literals, grid
from limbeck.methods.search_and_stitch.monotone import in_order
from limbeck.methods.search_and_stitch.queries import AnsweredQueries, Trials, ask
from limbeck.methods.search_and_stitch.status import Outcome, status_of
from limbeck.methods.told_rows import told_rows
from limbeck.methods.weights import weights
from limbeck.students.targets import read_weight
from limbeck.students.tree.apply import walker
from limbeck.students.tree.nodes import Nodes
from limbeck.students.tree.tree import Tree

__all__ = ["Greedy"]

_THRESHOLDS = 255  # of a column


@METHODS.register("greedy")
@dataclass(frozen=True)
class Greedy(TreeConstraints, BaseMethod):
    """Greedy tree (CART, best first) on rows and queries, its size by cross-fitting; constraints.

    Parameters
    ----------
    monotone, max_depth, min_samples_leaf, feature_costs, forbidden
        See `limbeck.methods.search_and_stitch.limits.TreeConstraints`.
    max_leaves, epsilon, leaves, queries, sampler, query_weight, max_rows
        As in `limbeck.methods.search_and_stitch.settings.SearchSettings`.
    soft : bool or None
        Whether splits are judged by the teacher's probabilities (else by its answers); by default
        what agrees better on rows left out.
    time_limit : float
        Seconds for a search that could go on, such as that of ``"optimal"``.
    """

    into: ClassVar[str] = "tree"
    effort: ClassVar[float] = 1.1
    name: ClassVar[str] = "greedy tree"

    max_leaves: int = 16
    epsilon: float = 0.05
    leaves: int | None = None
    queries: int | None = None
    sampler: Any = "auto"
    query_weight: float = 0.5
    max_rows: int = 30_000
    soft: bool | None = None
    time_limit: float = 30.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_available()
        if self.max_leaves < 2:
            raise InvalidInput(f"max_leaves is {self.max_leaves}.", "Give 2 or more.")
        check_size("leaves", self.leaves, self.max_leaves)
        check_queries(self.queries, self.sampler, self.query_weight)

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
            How much each row counts, beside the other rows.
        class_weight : "balanced", mapping or None
            How much rows and queries count by the teacher's class.

        Raises
        ------
        AccessDenied
            If queries are asked of a teacher that answers stored rows only.
        InvalidInput
            If the constraints leave nothing to ask about.
        """
        started = time.perf_counter()
        task = teacher.task
        told = told_rows(
            teacher, rows, self.max_rows, rng, progress, sample_weight=sample_weight,
            class_weight=class_weight, check=lambda n: self.limits(rows.features, task, n),
        )  # fmt: skip
        rows, own, weight = told.rows, told.answers, told.weight
        fold = split_folds(rows.values, rng)
        sizes = range(2, max(self.leaves or self.max_leaves, 2) + 1)
        trials = Trials(told, fold, task, self.query_weight, sizes, self.forbidden)
        asked = ask(
            teacher, trials, query_budget(teacher, self.queries), self.sampler, rng, progress
        )
        targets: dict[str, NDArray[Any]] = {"answers": np.concatenate([own, asked.answers])}
        if task.classifies and teacher.score_kind is not ScoreKind.LABEL and self.soft is not False:
            both = told.scores if asked.scores is None else np.vstack([told.scores, asked.scores])
            targets["probabilities"] = probabilities(both, teacher.score_kind)
            if self.soft:
                del targets["answers"]
        forest = trees_of_teacher(teacher, rows.features)
        return self._found(rows, own, weight, task, asked, fold, targets, started, rng, forest)

    def all_sizes(
        self, asked: AnsweredRows, rng: np.random.Generator, progress: Progress
    ) -> AllSizes:
        """Trees of all sizes, by answers and by probabilities; see `BaseMethod.all_sizes`.

        Parameters
        ----------
        asked, rng, progress
            As there.
        """
        asked = asked.limited(len(asked.queries), self.max_rows)
        rows, told, weight, task = asked.everything, asked.answers, asked.weight, asked.teacher.task
        self.limits(rows.features, task, len(asked.rows))
        progress("growing", 0, 1)
        forest = trees_of_teacher(asked.teacher, rows.features)
        data = self._data(rows, told, weight, task, forest, rng)
        targets: dict[str, NDArray[Any]] = {} if self.soft else {"answers": told}
        if asked.has_probabilities and self.soft is not False:
            targets["probabilities"] = asked.soft
        limit, found = time.monotonic() + self.time_limit, {}
        for name, target in targets.items() or [("answers", told)]:
            family, _ = self._family(
                data, rows, np.arange(len(rows)), target, weight, task, len(asked.rows), limit,
                check=True,
            )  # fmt: skip
            sized = {nodes.size: nodes for nodes in reversed(family)}
            found[name] = [
                Tree.from_nodes(sized[size], rows.features, task, rows.values)
                for size in sorted(sized)
            ]
        return AllSizes(found)

    def learn(
        self,
        rows: Rows,
        y: NDArray[Any],
        task: Task,
        rng: np.random.Generator,
        sample_weight: NDArray[np.float64] | None = None,
    ) -> Tree:
        """The control: the same tree and limits on labels, with no teacher.

        Parameters
        ----------
        rows, y, task, rng
            As in `limbeck.core.contract.Method.learn`.
        sample_weight : ndarray of shape (n,), optional
            How much each row counts.
        """
        weight = read_weight(sample_weight, len(rows))
        none = AnsweredQueries(rows[:0], y[:0], np.zeros((0, 0), dtype=np.int64), "none", 0)
        fold = split_folds(rows.values, rng)
        targets = {"answers": y}
        started = time.perf_counter()
        found = self._found(rows, y, weight, task, none, fold, targets, started, rng)
        assert isinstance(found.student, Tree)  # noqa: S101
        return found.student

    def _found(
        self,
        rows: Rows,
        own: NDArray[Any],
        sample_weight: NDArray[np.float64],
        task: Task,
        asked: AnsweredQueries,
        fold: Index,
        targets: dict[str, NDArray[Any]],
        started: float,
        rng: np.random.Generator,
        forest: list[Nodes] | None = None,
    ) -> MethodResult:
        """Trees of all sizes on rows and queries, and the one that rows left out choose."""
        n, k = len(rows), len(asked.rows)
        values = np.vstack([rows.values, asked.rows.values])
        everything = Rows(rows.features, values)
        told = np.concatenate([own, asked.answers])
        weight = weights(n, k, self.query_weight, sample_weight, asked.weight)
        data = self._data(everything, told, weight, task, forest, rng)
        enough = n >= 2 * FOLDS
        losses = {
            name: self._left_out(data, everything, own, target, sample_weight, task, asked, fold)
            for name, target in targets.items()
        } if enough else {}  # fmt: skip
        means = {m: np.average(x, axis=1, weights=sample_weight) for m, x in losses.items()}
        best = min(targets, key=lambda m: float(means[m][1:].mean()) if enough else 0.0)
        every, limit = np.arange(len(values)), time.monotonic() + self.time_limit
        family, proven = self._family(
            data, everything, every, targets[best], weight, task, n, limit, check=True
        )
        different = {id(nodes): nodes for nodes in family}
        made = {
            at: Tree.from_nodes(nodes, rows.features, task, values)
            for at, nodes in different.items()
        }
        leaves = {at: tree.size for at, tree in made.items()}
        trees = [made[id(nodes)] for nodes in family]
        seen = _family_losses(family, values, told, task) / _scale(told, weight, task)
        losses.setdefault(best, seen[:, :n])
        size = self.leaves or 1 + smallest_within(losses[best], sample_weight, self.epsilon)
        tree = trees[size - 1]
        outcome = Outcome(
            chosen=tree.size, most=self.max_leaves, classifies=task.classifies,
            seen=float(np.average(seen[size - 1, :n], weights=weight[:n])),
            queries=float(seen[size - 1, n:].mean()) if k else None,
            left_out=losses[best] if enough else None, exact=not (seen[size - 1] > 1e-12).any(),
        )  # fmt: skip
        sizes = [0, *(leaves[id(nodes)] for nodes in family)]
        frontier = [t for t, before, now in zip(trees, sizes, sizes[1:], strict=False)
                    if now > before]  # fmt: skip
        left_out = np.average(losses[best], axis=1, weights=sample_weight)
        trace = {
            "rows": n, "queries": k, "sampler": asked.sampler, "samplers_tried": asked.trials,
            "target": best, "literals": len(data.literals),
            "proven": proven and not self.monotone,
            "seconds": time.perf_counter() - started,
            "frontier": [[t.size, float(left_out[t.size - 1])] for t in frontier],
        }  # fmt: skip
        done = StatusCode.COMPLETE if proven else StatusCode.LIMIT
        status = self._said(status_of(outcome, done, None, self.epsilon), proven)
        status = leaves_note(status, self.max_leaves, n, frontier[-1].size)
        return MethodResult(tree, status, asked.total, tuple(frontier), trace)

    def _said(self, status: Status, proven: bool) -> Status:
        """The status in the words of the method."""
        return status

    def _data(
        self,
        rows: Rows,
        answers: NDArray[Any],
        weight: NDArray[np.float64],
        task: Task,
        forest: list[Nodes] | None,
        rng: np.random.Generator,
    ) -> BinnedRows:
        """The questions, and all rows in their form."""
        literals = Literals(grid(rows.features, rows.values, rows.values.size, _THRESHOLDS))
        return BinnedRows(literals, rows.values, np.zeros((1, len(rows)), dtype=np.float32))

    def _left_out(
        self,
        data: BinnedRows,
        rows: Rows,
        own: NDArray[Any],
        target: NDArray[Any],
        sample_weight: NDArray[np.float64],
        task: Task,
        asked: AnsweredQueries,
        fold: Index,
    ) -> NDArray[np.float64]:
        """Losses on each row by trees of 1, 2, ... leaves that were grown without its fold."""
        n = len(own)
        out = np.zeros((self.max_leaves, n))
        for at in range(FOLDS):
            judged, kept = np.flatnonzero(fold == at), np.flatnonzero(fold != at)
            if not len(judged) or not len(kept):
                continue
            far = np.flatnonzero(~inside(fold, asked.sources, at))
            theirs = None if asked.weight is None else asked.weight[far]
            weight = weights(len(kept), len(far), self.query_weight, sample_weight[kept], theirs)
            both, limit = np.concatenate([kept, n + far]), time.monotonic() + self.time_limit
            family, _ = self._family(data, rows, both, target[both], weight, task, len(kept), limit)
            out[:, judged] = _family_losses(family, rows.values[judged], own[judged], task)
        return out / _scale(own, sample_weight, task)

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
        """Trees of at most 1, 2, ... leaves on some rows, and whether none is better."""
        stats = (
            (target * weight[:, None]).T.astype(np.float32)
            if target.ndim == 2
            else row_statistics(target, task, weight)
        )
        part, every = data.part_of(kept, stats), np.arange(len(kept))
        cost = COSTS["gini" if task.classifies else "squared_error"]
        limits = self.limits(rows.features, task, max(own, 2 * self.min_samples_leaf))
        grown = best_first(
            part, every, cost, target, weight, len(task.classes), self.max_leaves, limits, own
        )
        if check and grown.size == 1:
            free = best_first(part, every, cost, target, weight, len(task.classes), 2)
            if free.size > 1:
                raise InvalidInput(
                    "The constraints leave no split that lowers the loss.",
                    "Forbid fewer columns, lower feature_costs or min_samples_leaf, or take back"
                    " monotone.",
                )
        family = [cut_back(grown, m) for m in range(1, grown.size + 1)]
        if limits.direction.any():
            values = rows.values[kept]
            family = [in_order(nodes.settled(values), limits.direction) for nodes in family]
        return family + family[-1:] * (self.max_leaves - len(family)), True


def _family_losses(
    family: list[Nodes], values: NDArray[np.float64], truth: NDArray[Any], task: Task
) -> NDArray[np.float64]:
    """Losses of each tree on each row, of shape (trees, n)."""
    out = np.empty((len(family), len(values)))
    for m, nodes in enumerate(family):
        if m and nodes is family[m - 1]:
            out[m] = out[m - 1]
            continue
        find, leaves = walker(nodes)
        out[m] = row_losses(nodes.value[leaves[find(values)]], truth, task)
    return out


def _scale(y: NDArray[Any], weight: NDArray[np.float64], task: Task) -> float:
    """1 for classes; the variance, in which losses of values are counted."""
    if task.classifies:
        return 1.0
    return max(float(np.average((y - np.average(y, weights=weight)) ** 2, weights=weight)), 1e-30)
