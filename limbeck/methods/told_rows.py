"""The rows that a method works on, with the teacher's answers and what each row counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.answers import answers as hard_answers
from limbeck.core.columns import Rows
from limbeck.core.contract import Teacher
from limbeck.core.progress import Progress
from limbeck.data.class_weights import ClassWeight, weighted_by_class
from limbeck.methods.budgets import used_rows

__all__ = ["ToldRows", "told_rows"]


@dataclass(frozen=True)
class ToldRows:
    """Rows with the teacher's answers.

    Parameters
    ----------
    rows : Rows
        Those of n that are used.
    scores : ndarray of shape (n, k)
        What the teacher said.
    answers : ndarray of shape (n,)
        The same as class indices or values.
    weight : ndarray of shape (n,)
        How much each row counts, its class included.
    by_class : ndarray of shape (k,) or None
        How much each class counts; None where all count the same.
    """

    rows: Rows
    scores: NDArray[np.float64]
    answers: NDArray[Any]
    weight: NDArray[np.float64]
    by_class: NDArray[np.float64] | None


def told_rows(
    teacher: Teacher,
    rows: Rows,
    most: int,
    rng: np.random.Generator,
    progress: Progress,
    *,
    sample_weight: NDArray[np.float64] | None = None,
    class_weight: ClassWeight = None,
    check: Callable[[int], object] | None = None,
) -> ToldRows:
    """Take the rows that count, and ask the teacher about them.

    Parameters
    ----------
    teacher : Teacher
        It is asked about each row once.
    rows : Rows
        The user's own.
    most : int
        The most that are used; some by chance where there are more.
    rng : numpy.random.Generator
        Draws them.
    progress : Progress
        Told that the teacher is asked.
    sample_weight : ndarray of shape (n,), optional
        How much each row counts; rows of weight 0 are left out.
    class_weight : "balanced", mapping or None
        How much rows count by the teacher's class.
    check : callable, optional
        Called with the number of rows before the teacher is asked; it may refuse it.
    """
    used, weight = used_rows(len(rows), sample_weight, most, rng)
    rows = rows[used]
    if check is not None:
        check(len(rows))
    progress("asking the teacher", 0, 1)
    scores = np.asarray(teacher.scores(rows.native()))
    answers = hard_answers(scores, teacher.task)
    by_class, weight = weighted_by_class(class_weight, teacher.task, answers, weight)
    return ToldRows(rows, scores, answers, weight, by_class)
