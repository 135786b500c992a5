"""Search and stitch: a decision tree out of a network (Boix-Adsera 2024, arXiv 2403.09053).

The linear representation hypothesis (LRH) says that the tests which a network computes on its
way to a tree-like answer, AND clauses of literals, are nearly linear in its activations. So
clauses are *searched* for with linear probes, deeper and deeper, and then *stitched* into a tree
by a dynamic programme that needs no further look at the network. On real inputs every clause is
a little linear, and probes alone rank badly; the pool therefore also holds the clauses of greedy
and lookahead trees on the teacher's answers and the neighbours of all good trees. The stitched
tree is then at every size at least as good, on the rows and queries, as the greedy tree.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.contract import (
    Access,
    Finding,
    Progress,
    Sampler,
    Status,
    StatusCode,
    Task,
    Teacher,
)
from limbeck.contract import (
    answers as hard_answers,
)
from limbeck.errors import AccessDenied, InvalidInput, did_you_mean
from limbeck.features import Rows
from limbeck.methods.trees.descent import Guide
from limbeck.methods.trees.layers import LayerReport
from limbeck.methods.trees.search import Search
from limbeck.methods.weights import check_query_weight, weights
from limbeck.progress import quiet
from limbeck.samplers.jitter import Jitter
from limbeck.students.targets import read_weight
from limbeck.students.tree import Tree

__all__ = ["SearchAndStitch"]

# Below this share of variance, a linear function of the activations does not tell the clause.
_LRH_HOLDS = 0.5


@dataclass(frozen=True)
class SearchAndStitch:
    """Distil any teacher into a decision tree; see the module's first lines.

    Parameters
    ----------
    max_leaves : int
        The largest tree that is considered.
    epsilon : float
        The disagreement aimed at. Chosen is the smallest tree whose cost on the user's rows is
        within half of it, or within one standard error of the best (Breiman et al. 1984,
        section 3.4.3). For regression the cost is the share of variance left unexplained.
    leaves : int or None
        Choose the best tree with at most so many leaves instead.
    queries : int or None
        Fresh rows to ask the teacher about; None for 20,000 where it answers queries.
    sampler : Sampler or None
        Where queries come from; None for :class:`limbeck.samplers.Jitter`.
    query_weight : float
        Share of the whole weight that the queries carry together, however many they are.
    layers : sequence of str or None
        Layers to probe; None for all.
    guide : {"both", "probes", "answers"}
        What orders the search; see :mod:`limbeck.methods.trees.descent`.
    cost : str or None
        ``misclassification`` (default), ``gini``, ``log_loss``, or ``squared_error``.
    depth : int or None
        Depth of the search; None for what ``max_leaves`` needs in a full tree.
    max_probes, max_clauses : int
        Limits of the search.
    patience : int
        The search ends after so many clauses without a gain.
    probe_rows : int
        Rows on which the probes are made.
    max_rows : int
        Rows used at most; a random part of more.
    """

    max_leaves: int = 16
    epsilon: float = 0.05
    leaves: int | None = None
    queries: int | None = None
    sampler: Sampler | None = None
    query_weight: float = 0.5
    layers: Sequence[str] | None = None
    guide: Guide = "both"
    cost: str | None = None
    depth: int | None = None
    max_probes: int = 80_000
    max_clauses: int = 300
    patience: int = 60
    probe_rows: int = 1200
    max_rows: int = 30_000

    name = "search and stitch"
    needs = Access.SCORES

    def __post_init__(self) -> None:
        for field in ("max_leaves", "max_rows", "probe_rows"):
            if getattr(self, field) < 2:
                raise InvalidInput(f"{field} is {getattr(self, field)}.", "Give 2 or more.")
        if self.leaves is not None and not 1 <= self.leaves <= self.max_leaves:
            raise InvalidInput(
                f"leaves is {self.leaves}, and max_leaves is {self.max_leaves}.",
                "Give leaves between 1 and max_leaves.",
            )
        if self.queries is not None and self.queries < 0:
            raise InvalidInput(f"queries is {self.queries}.", "Give 0 for none, or a number.")
        check_query_weight(self.query_weight)

    def distill(
        self,
        teacher: Teacher,
        rows: Rows,
        rng: np.random.Generator,
        progress: Progress,
        sample_weight: NDArray[np.float64] | None = None,
    ) -> Finding:
        """Distil; see :class:`limbeck.contract.Method`.

        Parameters
        ----------
        teacher, rows, rng, progress
            As there.
        sample_weight : ndarray of shape (n,), optional
            How much each row counts, beside the other rows.

        Raises
        ------
        AccessDenied
            If queries are asked of a teacher that answers stored rows only, or layers of one that
            shows none.
        InvalidInput
            If a layer is not in the teacher.
        """
        started = time.perf_counter()
        self._check_layers(teacher, rows)
        given = rows.values[read_weight(sample_weight, len(rows)) > 0]
        used, sample_weight = self._used(rows, sample_weight, rng)
        rows = rows[used]
        asked = self._fresh(teacher, rows, rng)
        everything = Rows(rows.features, np.vstack([rows.values, asked.values]))
        progress("asking the teacher", 0, 1)
        answers = hard_answers(teacher.scores(everything.native()), teacher.task)
        weight = weights(len(rows), len(asked), self.query_weight, sample_weight)
        search = Search(self, everything, answers, teacher.task, rng, progress, weight)
        search.grow()
        done = search.run(teacher)
        nodes = [search.tree(size) for size in range(1, self.max_leaves + 1)]
        seen = np.vstack([given, asked.values])
        trees = [Tree.from_nodes(n, rows.features, teacher.task, seen) for n in nodes]
        chosen = self._choose(search, trees, len(rows))
        report = search.explain(chosen)
        status = self._status(search, chosen, done, report)
        kept = [t for i, t in enumerate(trees) if i == 0 or t.size > trees[i - 1].size]
        trace = {
            "probes": search.descent.probes.count if search.descent.probes else 0,
            "clauses_ordered": search.descent.ordered,
            "clauses_kept": len(search.pool),
            "splits_kept": search.pool.n_splits,
            "literals": len(search.literals),
            "rows": len(rows),
            "queries": len(asked),
            "seconds": time.perf_counter() - started,
            "seconds_by_stage": search.seconds,
            "cost": self.cost
            or ("misclassification" if teacher.task.classifies else "squared_error"),
            "frontier": [[t.size, search.share(search.frontier[t.size - 1])] for t in kept],
            "greedy": [[n, search.share(c)] for n, c in search.greedy],
            **({"layers": report.layers, "lrh": report.lrh} if report else {}),
        }
        return Finding(trees[chosen - 1], status, len(asked), tuple(kept), trace)

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
        used, sample_weight = self._used(rows, sample_weight, rng)
        rows, y = rows[used], y[used]
        weight = weights(len(rows), 0, self.query_weight, sample_weight)
        search = Search(self, rows, y, task, rng, quiet, weight)
        search.grow()
        search.run()
        nodes = [search.tree(size) for size in range(1, self.max_leaves + 1)]
        trees = [Tree.from_nodes(n, rows.features, task, given) for n in nodes]
        return trees[self._choose(search, trees, len(rows)) - 1]

    def _used(
        self, rows: Rows, sample_weight: NDArray[np.float64] | None, rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The rows that are used, at most ``max_rows`` of those that count, and their weights."""
        weight = read_weight(sample_weight, len(rows))
        used = np.flatnonzero(weight)
        if len(used) > self.max_rows:
            used = np.sort(rng.choice(used, self.max_rows, replace=False))
        return used, weight[used]

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

    def _fresh(self, teacher: Teacher, rows: Rows, rng: np.random.Generator) -> Rows:
        can = Access.QUERIES in teacher.access
        n = self.queries if self.queries is not None else (20_000 if can else 0)
        if n and not can:
            raise AccessDenied(
                f"{n} queries were asked of {teacher.name}, which answers stored rows only.",
                "Set queries=0, or give a teacher that can be asked about new rows.",
            )
        if n == 0:
            return rows[:0]
        return (self.sampler or Jitter()).draw(rows, n, rng)

    def _choose(self, search: Search, trees: list[Tree], n: int) -> int:
        if self.leaves is not None:
            return trees[self.leaves - 1].size
        own, answers, weight = search.rows[:n], search.answers[:n], search.weight[:n]
        losses = np.stack([_losses(tree, own, answers, search.task) for tree in trees])
        means = np.average(losses, axis=1, weights=weight)
        best = int(means.argmin())
        allowed = means[best] + losses[best].std() / math.sqrt(n)
        return int(np.flatnonzero(means <= max(allowed, self.epsilon / 2) + 1e-12)[0]) + 1

    def _status(
        self, search: Search, chosen: int, done: StatusCode, report: LayerReport | None
    ) -> Status:
        left = search.share(search.frontier[chosen - 1])
        seen = f"{len(search.sample):,} rows and queries"
        if done is StatusCode.INTERRUPTED:
            return Status(done, "The search was interrupted; this is the best tree so far.", "")
        if left == 0:
            return Status(
                StatusCode.EXACT,
                f"The tree of {chosen} leaves agrees with the teacher on all {seen}.",
            )
        if report is not None and report.lrh["r_squared"] < _LRH_HOLDS:
            return Status(
                StatusCode.HYPOTHESIS_FAILED,
                "The linear representation hypothesis fails for this teacher: a linear function of"
                f" its activations explains {report.lrh['r_squared']:.0%} of the tree's clauses"
                f" (at least {_LRH_HOLDS:.0%} are needed). The tree was grown from the teacher's"
                " answers and is the best of its pool.",
                "Trust the certificate, not the clauses; for a closer student raise max_leaves, or"
                " choose another kind of student.",
            )
        limit = done is StatusCode.LIMIT
        end = "The search stopped at its limit" if limit else "The search ran to its end"
        what = f"{end}: the tree of {chosen} leaves {_cost_in_words(search, left)} {seen}."
        more = "max_leaves or max_clauses" if limit else "max_leaves"
        return Status(done, what, "" if left <= self.epsilon else f"Raise {more} for a closer one.")


def _losses(tree: Tree, rows: Rows, answers: NDArray[Any], task: Task) -> NDArray[np.float64]:
    """Loss of a tree on each row: disagreement, or the squared error per variance."""
    if task.classifies:
        return np.asarray(tree.predict_proba(rows).argmax(axis=1) != answers, dtype=np.float64)
    return np.asarray((tree.predict(rows) - answers) ** 2 / max(float(answers.var()), 1e-30))


def _cost_in_words(search: Search, left: float) -> str:
    if not search.task.classifies:
        return f"leaves {left:.1%} of the teacher's variance unexplained on"
    if search.method.cost in (None, "misclassification"):
        return f"differs from the teacher on {left:.1%} of"
    return f"has a {search.method.cost} of {left:.3f} on"
