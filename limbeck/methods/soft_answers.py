"""A teacher's soft answers on the rows, and on queries near them, as sums are fitted to them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from limbeck.core.answers import ScoreKind, probabilities
from limbeck.core.columns import Rows
from limbeck.core.contract import Sampler, Teacher
from limbeck.core.progress import Progress
from limbeck.core.task import TaskKind
from limbeck.data.class_weights import ClassWeight, class_weights
from limbeck.data.splits import FOLDS, split_folds
from limbeck.methods.budgets import query_budget, used_rows
from limbeck.methods.weights import weights
from limbeck.samplers.named import sampler_named
from limbeck.students.sparse_sum.sum_data import SumData

__all__ = ["FEW_ROWS", "AskedTeacher", "ask_softly", "soft_of"]

FEW_ROWS = 3000
"""With fewer rows queries are asked where nothing else is said."""
QUERIES = 2000
_AUTO = "munge"
MAX_ROWS = 50_000
"""Weights are fitted to at most so many rows."""


@dataclass(frozen=True)
class AskedTeacher:
    """Rows and queries with the teacher's answers.

    Parameters
    ----------
    data : SumData
        The rows first.
    queries : int
        How many the teacher answered beyond them.
    sampler : str
        Where they come from; ``none`` where there are none.
    """

    data: SumData
    queries: int
    sampler: str


def soft_of(scores: NDArray[np.float64], teacher: Teacher) -> NDArray[np.float64]:
    """Probabilities of shape (n, k), or values of shape (n, 1), out of a teacher's scores.

    Of several labels at once each has a probability of its own.

    Parameters
    ----------
    scores : ndarray of shape (n, k)
        What it answered.
    teacher : Teacher
        Whose they are.
    """
    if teacher.task.kind is TaskKind.MULTILABEL:
        logits = teacher.score_kind is ScoreKind.LOGIT
        return np.asarray(expit(scores) if logits else scores, dtype=np.float64)
    if not teacher.task.classifies:
        return np.asarray(scores[:, :1], dtype=np.float64)
    return probabilities(scores, teacher.score_kind)


def ask_softly(
    teacher: Teacher,
    rows: Rows,
    rng: np.random.Generator,
    progress: Progress,
    *,
    queries: int | None = None,
    sampler: str | Sampler = "auto",
    query_weight: float = 0.5,
    sample_weight: NDArray[np.float64] | None = None,
    class_weight: ClassWeight = None,
) -> AskedTeacher:
    """Ask about the rows, and about queries that are drawn within each fold of them.

    Parameters
    ----------
    teacher : Teacher
        It is asked.
    rows : Rows
        The user's own.
    rng : numpy.random.Generator
        Deals rows to folds and draws queries.
    progress : Progress
        Told that the teacher is asked.
    queries : int, optional
        How many; None for 2,000 where there are fewer than 3,000 rows, the answers are classes
        and the teacher takes queries, and 0 elsewhere.
    sampler : str or Sampler
        Where they come from; ``"auto"`` is ``"munge"``.
    query_weight : float
        See :func:`limbeck.methods.weights.weights`.
    sample_weight : ndarray of shape (n,), optional
        How much each row counts.
    class_weight : "balanced", mapping or None
        How much rows and queries count by the teacher's class.

    Raises
    ------
    AccessDenied
        If queries are asked of a teacher that answers stored rows only.
    """
    used, own = used_rows(len(rows), sample_weight, MAX_ROWS, rng)
    rows = rows[used]
    usual = QUERIES if len(rows) < FEW_ROWS and teacher.task.classifies else 0
    n = 0 if sampler == "none" else query_budget(teacher, queries, usual)
    progress("asking the teacher", 0, 1)
    soft, fold = soft_of(teacher.scores(rows.native()), teacher), split_folds(rows.values, rng)
    drawn, theirs = _draw(rows, fold, n, sampler, rng) if n else (rows[:0], fold[:0])
    if len(drawn):
        soft = np.vstack([soft, soft_of(teacher.scores(drawn.native()), teacher)])
    fresh = np.ones(len(drawn))
    if class_weight is not None:
        hard = soft.argmax(axis=1)
        each = class_weights(class_weight, teacher.task, hard[: len(rows)], own)[hard]
        own, fresh = own * each[: len(rows)], each[len(rows) :]
    weight = weights(len(rows), len(drawn), query_weight, own, fresh if len(drawn) else None)
    data = SumData(
        rows.features,
        np.vstack([rows.values, drawn.values]),
        soft,
        weight,
        np.concatenate([fold, theirs]),
        np.arange(len(weight)) < len(rows),
        teacher.task.classifies,
    )
    name = sampler if isinstance(sampler, str) else type(sampler).__name__
    return AskedTeacher(data, len(drawn), (_AUTO if name == "auto" else name) if n else "none")


def _draw(
    rows: Rows,
    fold: NDArray[np.int64],
    n: int,
    sampler: str | Sampler,
    rng: np.random.Generator,
) -> tuple[Rows, NDArray[np.int64]]:
    """Queries made of the rows of one fold each, so that no fold knows of another's rows."""
    source = sampler_named(_AUTO if sampler == "auto" else sampler) if isinstance(
        sampler, str
    ) else sampler  # fmt: skip
    if len(rows) < 2 * FOLDS:
        return source.draw(rows, n, rng), np.zeros(n, dtype=np.int64)
    parts, folds = [], []
    for at in np.unique(fold):
        inside = rows[np.flatnonzero(fold == at)]
        share = round(n * len(inside) / len(rows))
        if share and len(inside) > 1:
            parts.append(source.draw(inside, share, rng).values)
            folds.append(np.full(len(parts[-1]), at))
    values = np.vstack(parts) if parts else rows.values[:0]
    return Rows(rows.features, values), np.concatenate([*folds, fold[:0]])
