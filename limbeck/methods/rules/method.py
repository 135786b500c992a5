"""Rule lists and rule sets from the teacher's answers on rows and queries.

Candidates are the nodes of many small trees on the answers, as in RuleFit (Friedman and Popescu
2008). A list or a set is made of them by insertion and exchange, by what they save per
number that a reader must hold (:mod:`limbeck.students.rules.search`). How many rules is decided by
cross-fitting: without each fold of the rows, and without the queries made from it, all is grown
anew and judged on the fold.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Rows
from limbeck.core.contract import MethodResult, Teacher
from limbeck.core.errors import InvalidInput, whole_number
from limbeck.core.progress import Progress
from limbeck.core.registry import METHODS
from limbeck.core.task import Task
from limbeck.data.class_weights import ClassWeight
from limbeck.data.splits import split_folds
from limbeck.methods.answered_rows import AllSizes, AnsweredRows
from limbeck.methods.base import BaseMethod
from limbeck.methods.budgets import check_queries, check_size, query_budget, used_rows
from limbeck.methods.feature_costs import check_costs, costs_by_column
from limbeck.methods.forbidden import forbidden_columns, hide
from limbeck.methods.rules.sizes import SizedStudents, left_out
from limbeck.methods.search_and_stitch.crossfit import inside
from limbeck.methods.search_and_stitch.queries import AnsweredQueries, Trials, ask
from limbeck.methods.told_rows import told_rows
from limbeck.methods.weights import weights
from limbeck.students.rule_list.rule_list import RuleList
from limbeck.students.rules.candidates import FOREST
from limbeck.students.rules.rule_set import RuleSet
from limbeck.students.rules.student import RuleStudent

__all__ = ["DistillRuleList", "DistillRules", "RuleMethod"]

# Judging is no place to spend the time of the search itself.
_MOST_ROWS, _MOST_QUERIES, _FOREST = 3000, 3000, 20


@dataclass(frozen=True)
class RuleMethod(BaseMethod):
    """What rule lists and rule sets are distilled by; see the module's first lines.

    Parameters
    ----------
    max_numbers : int
        The most numbers that are considered: thresholds and levels, and a value for each rule and
        for the rest.
    max_rules : int or None
        The most rules that are considered; by default as many as ``max_numbers`` allows.
    epsilon : float
        The disagreement aimed at: chosen are the fewest rules whose loss on rows left out (5-fold)
        is within half of it, or within one standard error of the best. For values the loss is the
        share of variance left unexplained.
    rules : int or None
        Take at most so many rules instead, of any number of numbers.
    max_conditions : int
        The most thresholds and levels in one rule.
    queries : int or None
        Fresh rows to ask the teacher about at most, trials of samplers included; None for 10,000
        where it answers queries.
    sampler : str or Sampler
        Where queries come from; ``"auto"`` tries some, as search and stitch does.
    query_weight : float
        Share of the whole weight that the queries carry together; but no query counts more than a
        row.
    max_rows : int
        Rows used at most; a random part of more.
    forbidden : sequence of str
        Columns that no condition may be about.
    feature_costs : mapping from str to float
        By name of a column, what the loss of a row must fall by before any rule reads it: the mean
        of Gini impurity and error, or the squared error over the variance.
    """

    student: ClassVar[type[RuleStudent]]
    by_numbers: ClassVar[bool] = True

    max_numbers: int = 32
    max_rules: int | None = None
    epsilon: float = 0.05
    rules: int | None = None
    max_conditions: int = 3
    queries: int | None = None
    sampler: Any = "auto"
    query_weight: float = 0.5
    max_rows: int = 30_000
    forbidden: Sequence[str] = ()
    feature_costs: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, least in (("max_numbers", 1), ("max_conditions", 1), ("max_rows", 2)):
            whole_number(name, getattr(self, name), least)
        for name in ("rules", "max_rules"):
            if getattr(self, name) is not None:
                whole_number(name, getattr(self, name), 1)
        if self.max_rules is not None:
            check_size("rules", self.rules, self.max_rules)
        check_queries(self.queries, self.sampler, self.query_weight)
        check_costs(self.feature_costs)

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
        """
        forbidden_columns(rows.features, self.forbidden)  # refuses unknown names before any work
        costs_by_column(rows.features, self.feature_costs)
        started, task = time.perf_counter(), teacher.task
        told = told_rows(
            teacher, rows, self.max_rows, rng, progress, sample_weight=sample_weight,
            class_weight=class_weight,
        )  # fmt: skip
        rows, own, own_weight = told.rows, told.answers, told.weight
        fold = split_folds(rows.values, rng)
        sizes = range(2, max(2 * self.rules if self.rules else self.max_numbers // 2, 2) + 1)
        trials = Trials(told, fold, task, self.query_weight, sizes, self.forbidden)
        asked = ask(
            teacher, trials, query_budget(teacher, self.queries), self.sampler, rng, progress
        )
        progress("rules", 0, 1)
        path = self._path(rows, own, own_weight, task, asked, None, rng)
        if self.feature_costs and len(path) == 1 and np.ptp(own) > 0:
            raise InvalidInput(
                "feature_costs leave no column that a rule may read: none saves what it costs.",
                "Lower them, or leave feature_costs out.",
            )
        progress("cross-fitting", 0, 1)
        judged = self._judged(rows, own, own_weight, task, asked, fold, rng, len(path))
        sized = SizedStudents.of(path, rows, own, own_weight, task, judged, asked)
        at = len(path) - 1 if self.rules else sized.choose(self.epsilon)
        trace = {
            "rows": len(rows),
            "queries": len(asked.rows),
            "sampler": asked.sampler,
            "samplers_tried": asked.trials,
            "seconds": time.perf_counter() - started,
            **sized.trace(),
        }
        limit = "max_rules" if len(path) - 1 == self.max_rules else "max_numbers"
        status = sized.status(at, self.epsilon, limit)
        return MethodResult(path[at], status, asked.total, tuple(path), trace)

    def all_sizes(
        self, asked: AnsweredRows, rng: np.random.Generator, progress: Progress
    ) -> AllSizes:
        """Students of all sizes; see `BaseMethod.all_sizes`.

        Parameters
        ----------
        asked, rng, progress
            As there.
        """
        progress("rules", 0, 1)
        asked = asked.limited(_MOST_QUERIES, self.max_rows)
        rows, task = asked.everything, asked.teacher.task
        data = hide(rows.features, rows.values, self.forbidden), asked.answers, asked.weight
        costs = self._costs(rows)
        plain = self._plain(task)
        return AllSizes({"": plain.path(rows.features, task, *data, rng, _FOREST, costs)})

    def learn(
        self,
        rows: Rows,
        y: NDArray[Any],
        task: Task,
        rng: np.random.Generator,
        sample_weight: NDArray[np.float64] | None = None,
    ) -> RuleStudent:
        """The control: the same rules and limits on labels, with no teacher.

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
        used, weight = used_rows(len(rows), sample_weight, self.max_rows, rng)
        rows, y = rows[used], y[used]
        fold = split_folds(rows.values, rng)
        none = AnsweredQueries(rows[:0], y[:0], np.zeros((0, 0), dtype=np.int64), "none", 0)
        path = self._path(rows, y, weight, task, none, None, rng)
        if self.rules:
            return path[-1]
        judged = self._judged(rows, y, weight, task, none, fold, rng, len(path))
        return path[SizedStudents.of(path, rows, y, weight, task, judged).choose(self.epsilon)]

    def _plain(self, task: Task) -> RuleStudent:
        """A student with these settings, not yet fitted."""
        most = None if self.rules else self.max_numbers
        return self.student(
            max_rules=self.rules or self.max_rules or max(self.max_numbers // 2, 1),
            max_conditions=self.max_conditions,
            max_numbers=most,
            task=task,
        )

    def _path(
        self,
        rows: Rows,
        own: NDArray[Any],
        weight: NDArray[np.float64],
        task: Task,
        asked: AnsweredQueries,
        near: NDArray[np.int64] | None,
        rng: np.random.Generator,
    ) -> list[RuleStudent]:
        """Students of growing size from rows and queries, or some of the queries."""
        some = slice(None) if near is None else near
        values = np.vstack([rows.values, asked.rows.values[some]])
        told = np.concatenate([own, asked.answers[some]])
        theirs = None if asked.weight is None else asked.weight[some]
        count = weights(len(rows), len(told) - len(own), self.query_weight, weight, theirs)
        forest = FOREST if near is None else _FOREST
        plain = self._plain(task)
        values = hide(rows.features, values, self.forbidden)
        costs = self._costs(rows)
        return plain.path(rows.features, task, values, told, count, rng, forest, costs)

    def _costs(self, rows: Rows) -> NDArray[np.float64] | None:
        return costs_by_column(rows.features, self.feature_costs) if self.feature_costs else None

    def _judged(
        self,
        rows: Rows,
        own: NDArray[Any],
        weight: NDArray[np.float64],
        task: Task,
        asked: AnsweredQueries,
        fold: NDArray[np.int64],
        rng: np.random.Generator,
        sizes: int,
    ) -> NDArray[np.float64] | None:
        """Losses on rows left out by number of rules; None for too few rows."""

        def grown(at: int, others: NDArray[np.int64]) -> list[RuleStudent]:
            others = _some(others, _MOST_ROWS, rng)
            near = _some(np.flatnonzero(~inside(fold, asked.sources, at)), _MOST_QUERIES, rng)
            return self._path(rows[others], own[others], weight[others], task, asked, near, rng)

        return left_out(rows, own, weight, task, fold, sizes, grown)


@METHODS.register("rule_list")
@dataclass(frozen=True)
class DistillRuleList(RuleMethod):
    """An ordered list of rules, chosen by fidelity to the teacher from the nodes of small trees.

    Its settings are those of `RuleMethod`.
    """

    into: ClassVar[str] = "rule_list"
    effort: ClassVar[float] = 3.0
    default: ClassVar[bool] = True
    name: ClassVar[str] = "rule list"
    student: ClassVar[type[RuleStudent]] = RuleList


@METHODS.register("rules")
@dataclass(frozen=True)
class DistillRules(RuleMethod):
    """A set of rules for each class, chosen by fidelity to the teacher from nodes of small trees.

    Its settings are those of `RuleMethod`, and one more.

    Parameters
    ----------
    positive : label, optional
        Of two classes the one that the rules find; by default the one with which they come closer.
    """

    into: ClassVar[str] = "rules"
    effort: ClassVar[float] = 5.0
    default: ClassVar[bool] = True
    name: ClassVar[str] = "rule set"
    student: ClassVar[type[RuleStudent]] = RuleSet

    positive: Any = None

    def _plain(self, task: Task) -> RuleStudent:
        student = super()._plain(task)
        student.set_params(positive=self.positive)
        return student


def _some(rows: NDArray[np.int64], most: int, rng: np.random.Generator) -> NDArray[np.int64]:
    return rows if len(rows) <= most else np.sort(rng.choice(rows, most, replace=False))
