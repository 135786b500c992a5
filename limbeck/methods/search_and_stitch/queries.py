"""Which queries a tree is trained on: drawn by the sampler whose trees agree best on rows left out.

No sampler wins everywhere: small trees want the rows to count, large ones many queries, and a
sampler that leaves the data spends the tree's leaves where no row ever comes. So each is tried:
greedy trees are grown on the rows and its queries without a fold of the rows, and judged there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.answers import answers as hard_answers
from limbeck.core.columns import Rows
from limbeck.core.contract import Sampler, Teacher
from limbeck.core.progress import Progress
from limbeck.core.task import Task
from limbeck.data.splits import FOLDS
from limbeck.methods.forbidden import hide
from limbeck.methods.search_and_stitch.crossfit import GreedyTrees, inside
from limbeck.methods.told_rows import ToldRows
from limbeck.methods.weights import weights
from limbeck.samplers.named import TRIED, sampler_named

__all__ = ["AnsweredQueries", "Trials", "ask", "draw"]

Index = NDArray[np.int64]
FEWEST = 2000
"""Fewer queries than this are not spent on trials."""


@dataclass(frozen=True)
class AnsweredQueries:
    """Queries with the teacher's answers.

    Parameters
    ----------
    rows : Rows
        Of q queries.
    answers : ndarray of shape (q,)
        Class indices or values.
    sources : ndarray of shape (q, s), int
        The rows of the data that each was made from; s = 0 where the sampler does not say.
    sampler : str
        Its name, or ``none``.
    total : int
        How many the teacher answered, trials included.
    trials : dict
        Agreement on rows left out (R² for values) by the samplers tried, ``none`` among them.
    weight : ndarray of shape (q,), optional
        How much each counts beside the other queries; by default all the same.
    scores : ndarray of shape (q, k), optional
        What the teacher said of them.
    """

    rows: Rows
    answers: NDArray[Any]
    sources: Index
    sampler: str
    total: int
    trials: dict[str, float] = field(default_factory=dict)
    weight: NDArray[np.float64] | None = None
    scores: NDArray[np.float64] | None = None

    def __add__(self, more: AnsweredQueries) -> AnsweredQueries:
        """Both, one after the other."""
        return AnsweredQueries(
            Rows(self.rows.features, np.vstack([self.rows.values, more.rows.values])),
            np.concatenate([self.answers, more.answers]),
            np.concatenate([self.sources, more.sources]),
            self.sampler,
            self.total + more.total,
            weight=None
            if self.weight is None or more.weight is None
            else np.concatenate([self.weight, more.weight]),
            scores=None
            if self.scores is None or more.scores is None
            else np.concatenate([self.scores, more.scores]),
        )


@dataclass(frozen=True)
class Trials:
    """What the trials of samplers need.

    Parameters
    ----------
    told : ToldRows
        The user's own rows, n of them, with the teacher's answers.
    fold : ndarray of shape (n,), int
        The fold of every row.
    task : Task
        What the answers are.
    query_weight : float
        See :func:`limbeck.methods.weights.weights`.
    sizes : sequence of int
        Leaves of the trees that are grown; their losses are averaged.
    forbidden : sequence of str
        Columns that the trees must not use.
    """

    told: ToldRows
    fold: Index
    task: Task
    query_weight: float
    sizes: Sequence[int]
    forbidden: Sequence[str] = ()

    @cached_property
    def trees(self) -> GreedyTrees:
        """The rows in bins, which serve all trials."""
        return GreedyTrees(self._hidden(self.told.rows), self.told.answers, self.task)

    def losses(self, asked: AnsweredQueries) -> NDArray[np.float64]:
        """Loss on each row, averaged over sizes, by greedy trees grown without its fold."""
        told, n = self.told, len(self.told.rows)
        out = np.zeros(n)
        trees = self.trees.with_rows(self._hidden(asked.rows), asked.answers)
        for at in range(FOLDS):
            judged = self.fold == at
            if judged.all() or not judged.any():
                continue
            own = np.flatnonzero(~judged)
            far = np.flatnonzero(~inside(self.fold, asked.sources, at))
            theirs = None if asked.weight is None else asked.weight[far]
            weight = weights(len(own), len(far), self.query_weight, told.weight[own], theirs)
            found = trees.losses(
                np.concatenate([own, n + far]), weight, told.rows[judged], told.answers[judged],
                max(self.sizes),
            )  # fmt: skip
            out[judged] = found[np.array(self.sizes) - 1].mean(axis=0)
        return out

    def _hidden(self, rows: Rows) -> Rows:
        return Rows(rows.features, hide(rows.features, rows.values, self.forbidden))

    def agreement(self, losses: NDArray[np.float64]) -> float:
        """The mean as agreement, or as R²."""
        answers, weight = self.told.answers, self.told.weight
        mean = float(np.average(losses, weights=weight))
        if self.task.classifies:
            return 1.0 - mean
        middle = np.average(answers, weights=weight)
        spread = float(np.average((answers - middle) ** 2, weights=weight))
        return 1.0 - mean / spread if spread > 0 else float(mean == 0)


def ask(
    teacher: Teacher,
    trials: Trials,
    n: int,
    sampler: str | Sampler,
    rng: np.random.Generator,
    progress: Progress,
    fewest: int = FEWEST,
) -> AnsweredQueries:
    """Draw queries and ask the teacher.

    Parameters
    ----------
    teacher : Teacher
        It answers queries.
    trials : Trials
        The rows, and how samplers are tried.
    n : int
        Queries at most, trials included.
    sampler : str or Sampler
        A sampler or its name; ``"none"``; or ``"auto"``, which gives each that is tried a fifth
        of the queries and the best of them, or none, the rest.
    rng : numpy.random.Generator
        The source of chance.
    progress : Progress
        Told of every trial.
    fewest : int
        Fewer queries than this are not spent on trials.
    """
    if n == 0 or sampler == "none":
        return _nothing(trials)
    if sampler != "auto" or n < fewest or len(trials.told.rows) < 2 * FOLDS:
        return _asked(teacher, trials, sampler if sampler != "auto" else TRIED[0], n, rng)
    tried = [_nothing(trials)]
    for i, name in enumerate(TRIED):
        progress("trying samplers", i, len(TRIED))
        tried.append(_asked(teacher, trials, name, n // (len(TRIED) + 2), rng))
    found = {t.sampler: trials.agreement(trials.losses(t)) for t in [*tried[1:], tried[0]]}
    best = max(found, key=lambda name: found[name])  # the first of equals
    total = sum(t.total for t in tried)
    chosen = next(t for t in tried if t.sampler == best)
    if best != "none":
        chosen += _asked(teacher, trials, best, n - total, rng)
        total = n
    return replace(chosen, sampler=best, total=total, trials=found)


def draw(
    rows: Rows, sampler: str | Sampler, n: int, rng: np.random.Generator
) -> tuple[Rows, Index]:
    """Fresh rows of a sampler or its name, and the rows that each was made from.

    Parameters
    ----------
    rows : Rows
        The user's own.
    sampler : str or Sampler
        A sampler or its name.
    n : int
        How many to draw.
    rng : numpy.random.Generator
        The source of chance.
    """
    source: Any = sampler_named(sampler) if isinstance(sampler, str) else sampler
    if hasattr(source, "draw_with_sources"):
        drawn, made_of = source.draw_with_sources(rows, n, rng)
        return drawn, made_of
    return source.draw(rows, n, rng), np.zeros((n, 0), dtype=np.int64)


def _asked(
    teacher: Teacher, trials: Trials, sampler: str | Sampler, n: int, rng: np.random.Generator
) -> AnsweredQueries:
    name = sampler if isinstance(sampler, str) else type(sampler).__name__
    drawn, made_of = draw(trials.told.rows, sampler, n, rng)
    scores = teacher.scores(drawn.native())
    told = hard_answers(scores, trials.task)
    weight = None if trials.told.by_class is None else trials.told.by_class[told]
    return AnsweredQueries(drawn, told, made_of, name, n, weight=weight, scores=scores)


def _nothing(trials: Trials) -> AnsweredQueries:
    return AnsweredQueries(
        trials.told.rows[:0],
        trials.told.answers[:0],
        np.zeros((0, 0), dtype=np.int64),
        "none",
        0,
    )
