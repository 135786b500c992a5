"""Curves matched to a teacher's scores: a sum of one curve per column, and of tables of pairs.

Least squares on the teacher's values, or on its logits within a limit beyond which a class is
certain (matching logits: Ba and Caruana 2014; of additive students: Tan, Caruana, Hooker, Lou
2018). The curves are steps, chosen one after the other by what they explain per number, so one
choice gives a student of every size; how large it is, how strongly its weights are shrunk and
which queries it is trained on is decided on rows left out.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from limbeck.core.answers import answers as hard_answers
from limbeck.core.answers import probabilities
from limbeck.core.columns import Rows
from limbeck.core.contract import MethodResult, Sampler, Teacher
from limbeck.core.errors import InvalidInput, whole_number
from limbeck.core.progress import Progress
from limbeck.core.registry import METHODS
from limbeck.core.task import Task
from limbeck.data.class_weights import ClassWeight
from limbeck.data.splits import FOLDS, split_folds
from limbeck.methods.additive.crossfit import CurveCrossFit, CurveSettings
from limbeck.methods.answered_rows import AllSizes, AnsweredRows
from limbeck.methods.base import BaseMethod
from limbeck.methods.budgets import check_queries, query_budget, used_rows
from limbeck.methods.scored_queries import ScoredQueries, ask_scores
from limbeck.methods.told_rows import told_rows
from limbeck.students.additive.additive import Additive
from limbeck.students.additive.constraints import Constraints

__all__ = ["MatchedCurves"]

Vector = NDArray[np.float64]
_TRIAL_ROWS = 4000


@METHODS.register("additive")
@dataclass(frozen=True)
class MatchedCurves(BaseMethod):
    """Match curves of single columns, and tables of pairs, to the teacher's logits or values.

    Parameters
    ----------
    pairs : int
        The most pairs of columns with a table of their own.
    max_terms : int, optional
        The most curves and tables.
    max_numbers : int, optional
        The most numbers that a reader must hold: a step takes two, a level one, a product of two
        steps three, the intercept one.
    monotone : mapping from str to int, optional
        1 for columns whose curve must not fall, -1 for those whose curve must not rise.
    forbidden : sequence of str
        Columns that the student must not use.
    bins : int
        The most bins of a number from which steps are chosen.
    min_rows : float
        The least weight of a bin, and of a level that is not pooled with other rare ones.
    epsilon : float
        The disagreement aimed at. Chosen is the smallest student whose loss on rows left out
        (5-fold) is within half of it, or within one standard error of the best (Breiman et al.
        1984, section 3.4.3). For values the loss is the share of variance left unexplained.
    queries : int, optional
        Fresh rows to ask the teacher about at most, trials of samplers included; by default 10,000
        where it answers queries.
    sampler : str or Sampler
        Where queries come from; with ``"auto"`` the one, or none, whose students agree best on
        rows left out.
    query_weight : float
        Share of the whole weight that the queries carry together.
    max_rows : int
        Rows used at most; a random part of more.

    Raises
    ------
    InvalidInput
        If a setting cannot be used.
    """

    into: ClassVar[str] = "additive"
    effort: ClassVar[float] = 1.6
    default: ClassVar[bool] = True
    name: ClassVar[str] = "matched curves"
    by_numbers: ClassVar[bool] = True

    pairs: int = 0
    max_terms: int | None = None
    max_numbers: int | None = None
    monotone: Mapping[str, int] | None = None
    forbidden: Sequence[str] = ()
    bins: int = 32
    min_rows: float = 5
    epsilon: float = 0.05
    queries: int | None = None
    sampler: str | Sampler = "auto"
    query_weight: float = 0.5
    max_rows: int = 30_000

    def __post_init__(self) -> None:
        self.curves()
        for name in ("bins", "max_rows"):
            whole_number(name, getattr(self, name), 2)
        if not (np.isfinite(self.min_rows) and self.min_rows >= 0):
            raise InvalidInput(f"min_rows is {self.min_rows!r}.", "Give a number from 0.")
        check_queries(self.queries, self.sampler, self.query_weight)

    def distill(
        self,
        teacher: Teacher,
        rows: Rows,
        rng: np.random.Generator,
        progress: Progress,
        sample_weight: Vector | None = None,
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
            If a constraint names no column, or cannot be kept.
        """
        started = time.perf_counter()
        self.curves().constraints.check(rows.features, teacher.task)
        budget = query_budget(teacher, self.queries)
        task = teacher.task
        own = told_rows(
            teacher, rows, self.max_rows, rng, progress, sample_weight=sample_weight,
            class_weight=class_weight,
        )  # fmt: skip
        rows, scores, by_class = own.rows, own.scores, own.by_class
        fold = split_folds(rows.values, rng)

        def curves(asked: ScoredQueries, most: int) -> CurveCrossFit:
            part = np.unique(np.linspace(0, len(rows) - 1, min(most, len(rows))).astype(np.int64))
            told = hard_answers(asked.scores, task)
            theirs = None if by_class is None else by_class[told]
            goal = np.vstack([_goal(s, teacher) for s in (scores[part], asked.scores)])
            near = [asked.touched(fold, at) for at in range(FOLDS)]
            return CurveCrossFit(self.curves(), rows[part], asked.rows, goal, own.answers[part],
                            own.weight[part], theirs, fold[part], near, task)  # fmt: skip

        asked = ask_scores(
            teacher, rows, budget, self.sampler, lambda q: curves(q, _TRIAL_ROWS).agreement(),
            scores.shape[1], rng, progress,
        )  # fmt: skip
        progress("cross-fitting", 0, 1)
        found = curves(asked, len(rows)).choose()
        trace = {
            **found.trace,
            "rows": len(rows),
            "queries": len(asked.rows),
            "sampler": asked.sampler,
            "samplers_tried": asked.trials,
            "seconds": time.perf_counter() - started,
        }
        return MethodResult(found.student, found.status, asked.total, found.frontier, trace)

    def all_sizes(
        self, asked: AnsweredRows, rng: np.random.Generator, progress: Progress
    ) -> AllSizes:
        """Curves of all sizes, a variant for each penalty; see `BaseMethod.all_sizes`.

        Parameters
        ----------
        asked, rng, progress
            As there.
        """
        teacher, rows = asked.teacher, asked.rows
        self.curves().constraints.check(rows.features, teacher.task)
        progress("curves", 0, 1)
        asked = asked.limited(len(asked.queries), self.max_rows)
        n = len(asked.rows)
        fit = CurveCrossFit(
            self.curves(), asked.rows, asked.queries, asked.soft, asked.answers[:n], np.ones(n),
            None, np.zeros(n, dtype=np.int64), [], teacher.task,
        )  # fmt: skip
        return AllSizes(fit.by_penalty())

    def learn(
        self,
        rows: Rows,
        y: NDArray[Any],
        task: Task,
        rng: np.random.Generator,
        sample_weight: Vector | None = None,
    ) -> Additive:
        """The control: the same curves and limits on labels, with no teacher.

        Parameters
        ----------
        rows, y, task, rng
            As in `limbeck.core.contract.Method.learn`.
        sample_weight : ndarray of shape (n,), optional
            How much each row counts.
        """
        used, weight = used_rows(len(rows), sample_weight, self.max_rows, rng)
        rows, y = rows[used], y[used]
        k = len(task.classes)
        goal = np.eye(k)[y] if task.classifies else y.astype(np.float64)[:, None]
        nothing = [np.zeros(0, dtype=bool)] * FOLDS
        fit = CurveCrossFit(self.curves(), rows, rows[:0], goal, y, weight, None,
                       split_folds(rows.values, rng), nothing, task)  # fmt: skip
        return fit.choose().student

    def curves(self) -> CurveSettings:
        """What is asked of the curves, checked."""
        asked = Constraints(
            self.pairs, self.max_terms, self.max_numbers, self.monotone, self.forbidden
        )
        return CurveSettings(asked, self.bins, self.min_rows, self.epsilon, self.query_weight)


def _goal(scores: Vector, teacher: Teacher) -> Vector:
    """What is matched: values (n, 1), or probabilities (n, k)."""
    if not teacher.task.classifies:
        return scores[:, :1]
    return probabilities(scores, teacher.score_kind)
