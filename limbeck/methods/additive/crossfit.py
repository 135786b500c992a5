"""How large an additive student is, and how strongly it is shrunk: by rows left out.

Sums over the rows of each fold are taken once. Those of all other folds, and of the queries that
were not made from the fold's rows, then give the students of every size without another look at
the rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Rows
from limbeck.core.errors import plural
from limbeck.core.status import Status, StatusCode
from limbeck.core.task import Task
from limbeck.data.splits import FOLDS
from limbeck.methods.search_and_stitch.crossfit import row_losses
from limbeck.methods.weights import weights
from limbeck.students.additive.additive import Additive
from limbeck.students.additive.constraints import Constraints
from limbeck.students.additive.steps import BinMoments
from limbeck.students.additive.stepwise import RIDGES, StepFit, StepProblem

__all__ = ["ChosenCurves", "CurveCrossFit", "CurveSettings"]

Vector = NDArray[np.float64]
Budgets = tuple[float | None, ...]
_BUDGETS = (8, 16, 32, 64, 128, 256, 512)
_TRIED = (32.0, 128.0, None)  # numbers of the students by which samplers are tried
_ALIKE = 1e-12  # answers that differ by less, of their size, are one


@dataclass(frozen=True, eq=False)
class CurveSettings:
    """What is asked of the curves; see :class:`limbeck.methods.additive.method.MatchedCurves`."""

    constraints: Constraints
    bins: int
    min_rows: float
    epsilon: float
    query_weight: float


@dataclass(frozen=True, eq=False)
class ChosenCurves:
    """The student that was chosen, the best of every size, and how it was found."""

    student: Additive
    frontier: tuple[Additive, ...]
    status: Status
    trace: dict[str, Any]


class CurveCrossFit:
    """Students of every size on rows and queries, and their losses on rows left out.

    Parameters
    ----------
    settings : CurveSettings
        What is asked for.
    rows, queries : Rows
        The user's own, n of them, and the queries.
    goal : ndarray of shape (n + q, k)
        Values (k = 1), or probabilities of the classes, for both.
    answers : ndarray of shape (n,)
        Class indices or values, on the rows.
    weight : ndarray of shape (n,)
        How much each row counts.
    of_queries : ndarray of shape (q,), optional
        How much each query counts beside the others.
    fold : ndarray of int, shape (n,)
        The fold of each row.
    near : sequence of ndarray of bool, shape (q,)
        For each fold the queries that were made from its rows.
    task : Task
        What the answers are.
    """

    def __init__(
        self,
        settings: CurveSettings,
        rows: Rows,
        queries: Rows,
        goal: Vector,
        answers: NDArray[Any],
        weight: Vector,
        of_queries: Vector | None,
        fold: NDArray[np.int64],
        near: Sequence[NDArray[np.bool_]],
        task: Task,
    ) -> None:
        self.settings, self.rows, self.task = settings, rows, task
        self.answers, self.weight, self.fold, self.near = answers, weight, fold, near
        self.values = np.vstack([rows.values, queries.values])
        counts = weights(len(rows), len(queries), settings.query_weight, weight, of_queries)
        self.shares = float(counts[: len(rows)].sum()), float(counts[len(rows) :].sum())
        alike = np.ptp(goal, axis=0).max() <= _ALIKE * np.abs(goal).max()
        seen = np.zeros_like(self.values) if alike else self.values  # a constant needs no column
        self.problem = StepProblem.of(
            rows.features, seen, goal, counts, settings.constraints, settings.bins,
            settings.min_rows, task.classifies,
        )  # fmt: skip

    @property
    def judged(self) -> bool:
        """Whether there are enough rows to leave some out."""
        return len(self.rows) >= 2 * FOLDS

    @cached_property
    def budgets(self) -> Budgets:
        """The numbers of the students that are tried; None is as many as are allowed."""
        k, most = self.problem.target.shape[1], self.settings.constraints.max_numbers
        if most is not None:
            return (*(float(b) for b in _BUDGETS if k + 1 < b < most), float(most))
        return (*(float(b) for b in _BUDGETS if b > k + 1), None)

    @cached_property
    def sums(self) -> BinMoments:
        """Over all rows and queries."""
        return self.problem.moments()

    def left_out(self, budgets: Budgets, ridges: Sequence[float]) -> tuple[Vector, Vector]:
        """Losses on each row, by students trained without its fold, and squared errors of scores.

        Parameters
        ----------
        budgets : tuple of float or None
            Numbers of the students.
        ridges : sequence of float
            Penalties.

        Returns
        -------
        tuple of two ndarrays of shape (ridges, budgets, n)
            Disagreement (for values the squared error over the variance), and squared errors.
            Logits are matched by least squares here; the final student's probabilities are matched
            once more.
        """
        n, problem = len(self.rows), self.problem
        out = np.zeros((2, len(ridges), len(budgets), n))
        for at in range(FOLDS):
            held = np.flatnonzero(self.fold == at)
            if not len(held) or len(held) == n:
                continue
            sums = self._without(at)
            cells = [c[held] for c in problem.cells]
            for r, ridge in enumerate(ridges):
                for b, fit in enumerate(problem.path(sums, ridge, budgets)):
                    scores = problem.add_up(fit, cells)
                    out[0, r, b, held] = self._losses(scores, held)
                    error = scores / problem.scale - problem.target[held]
                    out[1, r, b, held] = (error**2).mean(axis=1)
        return out[0], out[1]

    def agreement(self) -> float:
        """On rows left out, over a few sizes and penalties; R² for values."""
        losses, _ = self.left_out(_TRIED, RIDGES[1:3])
        return 1.0 - float(np.average(losses.mean(axis=(0, 1)), weights=self.weight))

    def choose(self) -> ChosenCurves:
        """The smallest student that is within the tolerance of the best on rows left out."""
        budgets, size = self.budgets, len(self.budgets) - 1
        ridge, losses = [RIDGES[1]] * len(budgets), None
        if self.judged:
            each, squares = self.left_out(budgets, RIDGES)
            best = np.average(squares, axis=2, weights=self.weight).argmin(axis=0)
            ridge = [RIDGES[r] for r in best]
            losses = each[best, np.arange(len(budgets))]
            size = self._smallest(losses)
        paths = {r: self.problem.path(self.sums, r, budgets) for r in set(ridge)}
        fits = [self.problem.refined(paths[r][b], r) for b, r in enumerate(ridge)]
        students = [self._student(fit, r) for fit, r in zip(fits, ridge, strict=True)]
        students[size].measured(self.rows.values[self.weight > 0])
        kept = self._frontier(students, size)
        costs = [float(np.average(self._losses(self.problem.add_up(f, self._own), slice(None)),
                                  weights=self.weight)) for f in fits]  # fmt: skip
        trace: dict[str, Any] = {
            "cost": "misclassification" if self.task.classifies else "squared_error",
            "frontier": [[students[b].size, costs[b]] for b in kept],
            "numbers": [students[b].numbers for b in kept],
            "ridge": ridge[size],
            "terms": len(self.problem.steps.prices),
            "pairs": [[self.rows.features.names[j] for j in g.columns]
                      for g in self.problem.steps.groups if len(g.columns) == 2],
        }  # fmt: skip
        if losses is not None:
            mean = np.average(losses, axis=1, weights=self.weight)
            trace["left_out"] = [[students[b].size, float(mean[b])] for b in kept]
        status = self._status(students, size, costs[size], losses)
        return ChosenCurves(students[size], tuple(students[b] for b in kept), status, trace)

    def by_penalty(self) -> dict[str, list[Additive]]:
        """Students of all sizes for each penalty, none of them judged."""
        out = {}
        for ridge in RIDGES:
            path = self.problem.path(self.sums, ridge, self.budgets)
            fits = [self.problem.refined(fit, ridge) for fit in path]
            out[f"ridge {ridge:g}"] = [self._student(fit, ridge) for fit in fits]
        return out

    @cached_property
    def _own(self) -> list[NDArray[np.int64]]:
        return [c[: len(self.rows)] for c in self.problem.cells]

    @cached_property
    def _by_fold(self) -> tuple[list[BinMoments], BinMoments | None, list[BinMoments]]:
        n, q = len(self.rows), len(self.values) - len(self.rows)
        none, all_ = np.zeros(q, dtype=bool), np.ones(q, dtype=bool)
        rows = [self.problem.moments(np.append(self.fold == at, none)) for at in range(FOLDS)]
        if not q:
            return rows, None, []
        own = np.zeros(n, dtype=bool)
        near = [self.problem.moments(np.append(own, held)) for held in self.near]
        return rows, self.problem.moments(np.append(own, all_)), near

    def _without(self, at: int) -> BinMoments:
        """Sums over the rows of the other folds, and the queries made from them."""
        rows, queries, near = self._by_fold
        others = [m for i, m in enumerate(rows) if i != at]
        own = others[0]
        for m in others[1:]:
            own = own + m
        if queries is None:
            return own
        theirs = queries - near[at]
        if theirs.weight <= 1e-9 * queries.weight:
            return own
        share = self.shares[1] / self.shares[0]  # queries keep their share of the whole weight
        return own.plus(theirs, share * own.weight / theirs.weight)

    def _losses(self, scores: Vector, at: Any) -> Vector:
        answers = self.answers[at]
        if self.task.classifies:
            wide = np.hstack([np.zeros_like(scores), scores]) if scores.shape[1] == 1 else scores
            wide = wide[:, : len(self.task.classes)]
            return row_losses(wide, answers, self.task)
        middle = np.average(self.answers, weights=self.weight)
        spread = float(np.average((self.answers - middle) ** 2, weights=self.weight))
        return row_losses(scores, answers, self.task) / max(spread, 1e-30)

    def _smallest(self, losses: Vector) -> int:
        """The smallest within epsilon / 2, or one standard error of the best."""
        means = np.average(losses, axis=1, weights=self.weight)
        best = int(means.argmin())
        allowed = means[best] + losses[best].std() / math.sqrt(len(self.weight))
        return int(np.flatnonzero(means <= max(allowed, self.settings.epsilon / 2) + 1e-12)[0])

    def _student(self, fit: StepFit, ridge: float) -> Additive:
        asked = self.settings.constraints
        settings = {
            "pairs": asked.pairs, "bins": self.settings.bins, "min_rows": self.settings.min_rows,
            "max_terms": asked.max_terms, "max_numbers": asked.max_numbers,
            "monotone": asked.monotone, "forbidden": asked.forbidden, "ridge": ridge,
            "solver": "steps",
        }  # fmt: skip
        terms, bins, mass = self.problem.terms(fit)
        return Additive.from_terms(terms, bins, mass, self.rows.features, self.task, settings)

    def _frontier(self, students: list[Additive], chosen: int) -> list[int]:
        """Students that are larger than all before them; the chosen one among them."""
        kept = [chosen]
        for b in range(chosen - 1, -1, -1):
            if students[b].size < students[kept[0]].size:
                kept.insert(0, b)
        for b in range(chosen + 1, len(students)):
            if students[b].size > students[kept[-1]].size:
                kept.append(b)
        return kept

    def _status(
        self, students: list[Additive], chosen: int, cost: float, losses: Vector | None
    ) -> Status:
        student = students[chosen]
        rows = student.predict(Rows(self.rows.features, self.values))
        if self.task.classifies:
            goal = self.problem.target
            told = (goal[:, 0] > 0).astype(int) if goal.shape[1] == 1 else goal.argmax(axis=1)
            exact = bool((rows == self.task.labels[told]).all())
        else:
            exact = bool(np.allclose(rows, self.problem.target[:, 0] * self.problem.scale,
                                     rtol=1e-9, atol=1e-9 * self.problem.scale))  # fmt: skip
        what = f"curves of {plural(student.numbers, 'number')}"
        if exact:
            said = "all rows and queries" if len(self.values) > len(self.rows) else "all rows"
            return Status(StatusCode.EXACT, f"C{what[1:]} agree with the teacher on {said}.")
        of = "differ from the teacher on" if self.task.classifies else "do not explain"
        unit = "of the rows" if self.task.classifies else "of the teacher's variance on the rows"
        words = f"{what} {of} {cost:.1%} {unit}"
        if losses is None:
            return Status(StatusCode.COMPLETE, f"The fit ran to its end: {words}.")
        left = float(np.average(losses[chosen], weights=self.weight))
        words += f" and {left:.1%} of rows left out ({FOLDS}-fold)"
        remedy = ""
        if left > self.settings.epsilon:
            remedy = self._remedy(chosen, losses)
        return Status(StatusCode.COMPLETE, f"The fit ran to its end: {words}.", remedy)

    def _remedy(self, chosen: int, losses: Vector) -> str:
        asked = self.settings.constraints
        if chosen == len(losses) - 1 and (asked.max_numbers or asked.max_terms):
            return "Raise max_numbers or max_terms for a closer one."
        if not asked.pairs and len(self.rows.features) > 1:
            return (
                "What is left may depend on two columns at once: try pairs=3, or another student."
            )
        return "Larger curves agree no better on rows left out; try another kind of student."
