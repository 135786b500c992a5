"""Rows that all ways of a tournament share: the folds, the queries, the teacher's answers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Rows
from limbeck.core.contract import Access, Teacher
from limbeck.core.progress import Progress, quiet
from limbeck.data.splits import split_folds
from limbeck.methods.answered_rows import AnsweredRows, answer_rows
from limbeck.methods.search_and_stitch.queries import Trials, ask
from limbeck.methods.soft_answers import FEW_ROWS
from limbeck.methods.told_rows import told_rows
from limbeck.samplers.named import sampler_named

__all__ = ["QUERIES", "best_sampler", "shared_rows"]

QUERIES = 4000
"""Made from all rows, and again from the rows without each fold."""
_JUDGED = 2000  # queries on which students are judged, beside few rows
_TRIAL_QUERIES, _TRIAL_ROWS = 4000, 4000


def best_sampler(
    teacher: Teacher, rows: Rows, rng: np.random.Generator, tell: Progress = quiet
) -> str:
    """The sampler whose queries help a greedy tree most on rows left out; ``none`` if none does.

    Parameters
    ----------
    teacher : Teacher
        Answers.
    rows : Rows
        The user's own.
    rng : numpy.random.Generator
        The source of chance.
    tell : Progress
        Told of each sampler that is tried.
    """
    if Access.QUERIES not in teacher.access:
        return "none"
    at = np.linspace(0, len(rows) - 1, min(len(rows), _TRIAL_ROWS)).astype(np.int64)
    told = told_rows(teacher, rows[at], len(at), rng, tell)
    trials = Trials(told, split_folds(told.rows.values, rng), teacher.task, 0.5, (4, 8, 16))
    return ask(teacher, trials, _TRIAL_QUERIES, "auto", rng, tell).sampler


def shared_rows(
    teacher: Teacher,
    rows: Rows,
    fold: NDArray[np.int64],
    seed: int,
    tell: Progress = quiet,
) -> tuple[AnsweredRows, ...]:
    """All rows with queries, and the same without each fold: queries are made from what is left.

    Parameters
    ----------
    teacher : Teacher
        Answers; it is asked about each row once.
    rows : Rows
        The user's own, n of them.
    fold : ndarray of shape (n,)
        The fold of each row, from 0.
    seed : int
        Each part has a generator of its own.
    tell : Progress
        Told of the stages.
    """
    sampler = best_sampler(teacher, rows, np.random.default_rng([seed, 1_000]), tell)
    tell("asking the teacher", 0, 1)
    every = answer_rows(teacher, rows, sampler, QUERIES, np.random.default_rng([seed, 1_001]))
    if sampler != "none" and len(rows) < FEW_ROWS:
        every = _with_near(every, fold, max(_JUDGED // len(rows), 1), seed)
    parts = [every]
    for part in range(int(fold.max()) + 1):
        inside = np.flatnonzero(fold != part)
        rng = np.random.default_rng([seed, 1_002 + part])
        scores = every.scores[inside]
        parts.append(answer_rows(teacher, rows[inside], sampler, QUERIES, rng, scores))
    return tuple(parts)


def _with_near(every: AnsweredRows, fold: NDArray[np.int64], each: int, seed: int) -> AnsweredRows:
    """With queries for each row, made from the rows of its fold alone."""
    near = np.empty((len(fold), each, every.rows.values.shape[1]))
    for part in range(int(fold.max()) + 1):
        inside = np.flatnonzero(fold == part)
        rng = np.random.default_rng([seed, 2_000 + part])
        drawn = sampler_named(every.sampler).draw(every.rows[inside], each * len(inside), rng)
        near[inside] = drawn.values.reshape(len(inside), each, -1)
    rows = Rows(every.rows.features, near.reshape(-1, near.shape[2]))
    scores = np.asarray(every.teacher.scores(rows.native()), dtype=np.float64)
    return replace(every, near=rows, near_scores=scores)
