"""Search and stitch: a decision tree out of a network (Boix-Adsera 2024, arXiv 2403.09053).

The linear representation hypothesis (LRH) says that the tests which a network computes on its
way to a tree-like answer, AND clauses of literals, are nearly linear in its activations. So
clauses are *searched* for with linear probes, deeper and deeper, and then *stitched* into a tree
by a dynamic programme that needs no further look at the network. On real inputs every clause is
a little linear, and probes alone rank badly; the pool therefore also holds the clauses of greedy
and lookahead trees on the teacher's answers and the neighbours of all good trees. The stitched
tree is then at every size at least as good, on the rows and queries, as the greedy tree.

Which queries are asked, whether stitched or greedy trees are kept, and the size are chosen by
cross-fitting on the user's rows (:mod:`limbeck.methods.search_and_stitch.queries`, ``judged``).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Rows
from limbeck.core.contract import Access, MethodResult, Teacher
from limbeck.core.errors import AccessDenied, InvalidInput, did_you_mean
from limbeck.core.progress import Progress, quiet
from limbeck.core.registry import METHODS
from limbeck.core.status import StatusCode
from limbeck.core.task import Task
from limbeck.data.class_weights import ClassWeight
from limbeck.data.directions import directions
from limbeck.data.splits import FOLDS, split_folds
from limbeck.methods.answered_rows import AllSizes, AnsweredRows
from limbeck.methods.base import BaseMethod
from limbeck.methods.budgets import check_leaf_rows, leaves_note, query_budget, used_rows
from limbeck.methods.forbidden import forbidden_columns
from limbeck.methods.search_and_stitch.choosing import ChosenSize, choose
from limbeck.methods.search_and_stitch.crossfit import Index
from limbeck.methods.search_and_stitch.disputes import (
    CANDIDATES,
    kept_back,
    rows_decide,
    settle,
)
from limbeck.methods.search_and_stitch.queries import FEWEST, AnsweredQueries, Trials, ask, draw
from limbeck.methods.search_and_stitch.search import TreeSearch
from limbeck.methods.search_and_stitch.settings import SearchSettings
from limbeck.methods.search_and_stitch.status import status_of
from limbeck.methods.search_and_stitch.validation import HeldOutLosses, judge
from limbeck.methods.told_rows import told_rows
from limbeck.methods.weights import weights
from limbeck.students.targets import read_weight
from limbeck.students.tree.tree import Tree

__all__ = ["SearchAndStitch"]


@METHODS.register("search_and_stitch")
@dataclass(frozen=True)
class SearchAndStitch(SearchSettings, BaseMethod):
    """Distil any teacher into a decision tree; see the module's first lines.

    Its settings are those of `SearchSettings`.
    """

    into: ClassVar[str] = "tree"
    effort: ClassVar[float] = 1.5
    guarantee: ClassVar[str] = "best of its size over its clauses"
    default: ClassVar[bool] = True
    name: ClassVar[str] = "search and stitch"

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
            How much rows and queries count by the teacher's class; see
            `limbeck.data.class_weights.class_weights`.

        Raises
        ------
        AccessDenied
            If queries are asked of a teacher that answers stored rows only, or layers of one that
            shows none.
        InvalidInput
            If a layer is not in the teacher.
        """
        started = time.perf_counter()
        forbidden_columns(rows.features, self.forbidden)  # refuses unknown names before any work
        directions(rows.features, teacher.task, self.monotone)
        self._check_layers(teacher, rows)
        given = rows.values[read_weight(sample_weight, len(rows)) > 0]
        told = told_rows(
            teacher, rows, self.max_rows, rng, progress, sample_weight=sample_weight,
            class_weight=class_weight, check=partial(check_leaf_rows, self.min_samples_leaf),
        )  # fmt: skip
        task, rows, own, sample_weight = teacher.task, told.rows, told.answers, told.weight
        fold = split_folds(rows.values, rng)
        trials = Trials(told, fold, task, self.query_weight, self.sizes(), self.forbidden)
        budget = query_budget(teacher, self.queries)
        back = kept_back(budget) if task.classifies and self.sampler != "none" else 0
        asked = ask(
            teacher, trials, budget - back, self.sampler, rng, progress, fewest=FEWEST - back
        )
        everything = Rows(rows.features, np.vstack([rows.values, asked.rows.values]))
        answers = np.concatenate([own, asked.answers])
        weight = weights(len(rows), len(asked.rows), self.query_weight, sample_weight, asked.weight)
        search = TreeSearch(self, everything, answers, task, rng, progress, weight, own=len(rows))
        search.grow()
        done, method = search.run(teacher), search.method
        judged = _judged(search, done, rows, own, sample_weight, asked, fold, rng)
        search.tick("cross-fitting")
        seen = np.vstack([given, asked.rows.values])
        choice = choose(method, search, judged, len(rows), seen)
        stopped = done is StatusCode.INTERRUPTED or asked.sampler == "none"
        if back and (stopped or rows_decide(choice, budget, self.epsilon)):
            back = 0
        source = asked.sampler if self.sampler == "auto" else self.sampler
        fresh = draw(rows, source, CANDIDATES, rng)[0] if back else rows[:0]
        settled = settle(
            choice, search, judged, teacher, fresh, back, self.epsilon, seen,
            method.leaves or method.max_leaves,
        )  # fmt: skip
        choice = settled.choice
        kept = choice.frontier
        report = search.explain(choice.plans[choice.leaves - 1])
        outcome = choice.outcome(search, method.max_leaves)
        status = status_of(outcome, done, report, self.epsilon)
        status = leaves_note(status, self.max_leaves, len(rows), kept[-1].size)
        trace = _traced(search, choice, asked, sample_weight) | {
            "disputes": {"asked": settled.asked, "share": settled.disputed, "won": settled.won},
            "query_weight": float(weight[len(rows) :].sum() / weight.sum()),
            "seconds": time.perf_counter() - started,
            "cost": self.cost or ("misclassification" if task.classifies else "squared_error"),
            **({"layers": report.layers, "lrh": report.lrh} if report else {}),
        }
        rivals = search.rivals(self.leaves or choice.leaves, len(rows))
        return MethodResult(
            choice.tree, status, asked.total + settled.asked, tuple(kept), trace, rivals
        )

    def all_sizes(
        self, asked: AnsweredRows, rng: np.random.Generator, progress: Progress
    ) -> AllSizes:
        """Stitched trees of all sizes; see `BaseMethod.all_sizes`.

        Parameters
        ----------
        asked, rng, progress
            As there.
        """
        self._check_layers(asked.teacher, asked.rows)
        asked = asked.limited(len(asked.queries), self.max_rows)
        rows, task = asked.everything, asked.teacher.task
        search = TreeSearch(
            self, rows, asked.answers, task, rng, progress, asked.weight, own=len(asked.rows)
        )
        search.grow()
        if search.run(asked.teacher) is StatusCode.INTERRUPTED:
            raise KeyboardInterrupt
        trees = (search.tree(plan, rows.values) for plan in reversed(search.stitched()))
        sized = {tree.size: tree for tree in trees}
        return AllSizes({"": [sized[size] for size in sorted(sized)]})

    def learn(
        self,
        rows: Rows,
        y: NDArray[Any],
        task: Task,
        rng: np.random.Generator,
        sample_weight: NDArray[np.float64] | None = None,
    ) -> Tree:
        """The control: the same pool, stitch and limits on labels, with no teacher.

        Parameters
        ----------
        rows : Rows
            Of n rows.
        y : ndarray of shape (n,)
            Class indices or values.
        task : Task
            What they are.
        rng : numpy.random.Generator
            The source of chance.
        sample_weight : ndarray of shape (n,), optional
            How much each row counts.
        """
        given = rows.values[read_weight(sample_weight, len(rows)) > 0]
        used, sample_weight = used_rows(len(rows), sample_weight, self.max_rows, rng)
        rows, y = rows[used], y[used]
        weight = weights(len(rows), 0, self.query_weight, sample_weight)
        fold = split_folds(rows.values, rng)
        search = TreeSearch(self, rows, y, task, rng, quiet, weight)
        search.grow()
        done, method = search.run(), search.method
        none = AnsweredQueries(rows[:0], y[:0], np.zeros((0, 0), dtype=np.int64), "none", 0)
        judged = _judged(search, done, rows, y, sample_weight, none, fold, rng)
        return choose(method, search, judged, len(rows), given).tree

    def _check_layers(self, teacher: Teacher, rows: Rows) -> None:
        """Refuse unknown layers before the teacher is asked at length."""
        if self.layers is None:
            return
        if Access.ACTIVATIONS not in teacher.access:
            raise AccessDenied(
                f"Layers were named, and {teacher.name} grants {teacher.access}.",
                "Leave layers out, or give the network itself.",
            )
        teacher.scores(rows[:1].native())  # layers are known once a row has run
        known = teacher.layers()
        for name in self.layers:
            if name not in known:
                raise InvalidInput(f"There is no layer {name!r}.", did_you_mean(name, known))


def _judged(
    search: TreeSearch,
    done: StatusCode,
    rows: Rows,
    answers: NDArray[Any],
    weight: NDArray[np.float64],
    asked: AnsweredQueries,
    fold: Index,
    rng: np.random.Generator,
) -> HeldOutLosses | None:
    """Losses on rows left out; None for too few rows."""
    if len(rows) < 2 * FOLDS or done is StatusCode.INTERRUPTED:
        return None
    shared = search.sample.only(search.even)
    return judge(search.method, rows, answers, weight, search.task, asked, fold, shared, rng)


def _traced(
    search: TreeSearch,
    choice: ChosenSize,
    asked: AnsweredQueries,
    sample_weight: NDArray[np.float64],
) -> dict[str, Any]:
    """What the search did, for the trace of the result."""
    kept = choice.frontier
    costs = [search.cost(plan) for plan in choice.plans]
    left_out = np.average(choice.losses, axis=1, weights=sample_weight)
    return {
        "probes": search.descent.probes.count if search.descent.probes else 0,
        "clauses_ordered": search.descent.ordered,
        "clauses_kept": len(search.pool),
        "splits_kept": search.pool.n_splits,
        "literals": len(search.literals),
        "rows": len(sample_weight),
        "queries": len(asked.rows),
        "sampler": asked.sampler,
        "samplers_tried": asked.trials,
        "seconds_by_stage": search.seconds,
        "tree": choice.kind,
        "frontier": [[t.size, costs[t.size - 1]] for t in kept],
        "greedy": [[n, search.share(c)] for n, c in search.greedy],
        "left_out": [[t.size, float(left_out[t.size - 1])] for t in kept if choice.judged],
    }
