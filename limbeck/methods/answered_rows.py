"""Rows and queries with the teacher's answers, asked once for every method that wants them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.answers import ScoreKind, probabilities
from limbeck.core.answers import answers as hard_answers
from limbeck.core.columns import Rows
from limbeck.core.contract import Student, Teacher
from limbeck.methods.soft_answers import FEW_ROWS, QUERIES
from limbeck.methods.weights import weights
from limbeck.samplers.named import sampler_named
from limbeck.students.sparse_sum.sum_data import SumData

__all__ = ["ROWS_ALONE", "AllSizes", "AnsweredRows", "answer_rows"]

ROWS_ALONE = "rows alone"
"""How the name of a variant ends that leaves out queries from which others learn."""

QUERY_WEIGHT = 0.5
"""Share of the whole weight that queries carry, as by default in every method."""


@dataclass(frozen=True)
class AllSizes:
    """Students of growing size by variant of the method, none of them chosen yet.

    Parameters
    ----------
    students : mapping from str to sequence of Student
        A variant is a choice that the method makes on rows left out, such as which kinds of terms
        a sum may have; a method without such choices has one variant, ``""``.
    queries : int
        How many rows the teacher was asked about besides those that are shared.
    """

    students: Mapping[str, Sequence[Student]]
    queries: int = 0


@dataclass(frozen=True, eq=False)
class AnsweredRows:
    """Rows and queries with the teacher's answers.

    Parameters
    ----------
    teacher : Teacher
        Who answered, and can be asked more where it grants queries.
    rows, queries : Rows
        The user's own, n of them, and q queries made from them.
    scores, query_scores : ndarray of shape (n, k) and (q, k)
        What the teacher said.
    sampler : str
        Where the queries come from; ``none`` where there are none.
    near : Rows
        As many queries for each row, made from the rows of its fold alone, row by row: students
        that did not see the fold are judged on these as well, where rows are few.
    near_scores : ndarray of shape (n m, k)
        What the teacher said of them.
    """

    teacher: Teacher
    rows: Rows
    scores: NDArray[np.float64]
    queries: Rows
    query_scores: NDArray[np.float64]
    sampler: str = "none"
    near: Rows | None = None
    near_scores: NDArray[np.float64] | None = None

    @cached_property
    def everything(self) -> Rows:
        """The rows, then the queries."""
        return Rows(self.rows.features, np.vstack([self.rows.values, self.queries.values]))

    @cached_property
    def answers(self) -> NDArray[Any]:
        """Class indices or values on rows and queries, shape (n + q,)."""
        return hard_answers(np.vstack([self.scores, self.query_scores]), self.teacher.task)

    @cached_property
    def soft(self) -> NDArray[np.float64]:
        """Probabilities (n + q, classes), or values (n + q, 1)."""
        both = np.vstack([self.scores, self.query_scores])
        if not self.teacher.task.classifies:
            return np.asarray(both[:, :1])
        return probabilities(both, self.teacher.score_kind)

    @cached_property
    def weight(self) -> NDArray[np.float64]:
        """How much each of rows and queries counts, 1 on average."""
        return weights(len(self.rows), len(self.queries), QUERY_WEIGHT)

    @property
    def has_probabilities(self) -> bool:
        """Whether the teacher says more than its answers."""
        return self.teacher.task.classifies and self.teacher.score_kind is not ScoreKind.LABEL

    def for_sums(self, most: int) -> SumData:
        """As sums of terms are fitted to it: with queries for classes and few rows only.

        Parameters
        ----------
        most : int
            Rows at most, evenly taken.
        """
        n = len(self.rows)
        pays = self.teacher.task.classifies and n < FEW_ROWS
        few = self.limited(QUERIES if pays else 0)
        at = np.arange(len(few.everything))
        if n > most:
            at = np.linspace(0, n - 1, most).astype(np.int64)
        return SumData(
            self.rows.features, few.everything.values[at], few.soft[at], few.weight[at],
            np.zeros(len(at), dtype=np.int64), at < n, self.teacher.task.classifies,
        )  # fmt: skip

    def limited(self, queries: int, rows: int | None = None) -> AnsweredRows:
        """With at most so many of the queries and rows, evenly taken.

        Parameters
        ----------
        queries, rows : int
            How many of each; None for all rows.
        """
        n = len(self.rows)
        at = np.arange(n)
        if rows is not None and n > rows:
            at = np.linspace(0, n - 1, rows).astype(np.int64)
        return AnsweredRows(
            self.teacher, self.rows[at], self.scores[at], self.queries[:queries],
            self.query_scores[:queries], self.sampler,
        )  # fmt: skip


def answer_rows(
    teacher: Teacher,
    rows: Rows,
    sampler: str,
    queries: int,
    rng: np.random.Generator,
    scores: NDArray[np.float64] | None = None,
) -> AnsweredRows:
    """Ask a teacher about rows, and about queries made from them.

    Parameters
    ----------
    teacher : Teacher
        It answers queries, unless there are none.
    rows : Rows
        The user's own.
    sampler : str
        Where queries come from; ``"none"`` for none.
    queries : int
        How many.
    rng : numpy.random.Generator
        Draws them.
    scores : ndarray of shape (n, k), optional
        What the teacher said of the rows, where that is known.
    """
    if scores is None:
        scores = np.asarray(teacher.scores(rows.native()), dtype=np.float64)
    if sampler == "none" or queries == 0:
        return AnsweredRows(teacher, rows, scores, rows[:0], scores[:0])
    drawn = sampler_named(sampler).draw(rows, queries, rng)
    theirs = np.asarray(teacher.scores(drawn.native()), dtype=np.float64)
    return AnsweredRows(teacher, rows, scores, drawn, theirs, sampler)
