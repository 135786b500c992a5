"""From found clauses to the values of rules: means over the rows that each decides or covers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.students.rules.candidates import CandidateTrees
from limbeck.students.rules.clause import Clause, first_true
from limbeck.students.rules.search import statistics

__all__ = ["decided", "means", "searched"]

Matrix = NDArray[np.float64]
_MOST_ROWS = 8000  # on which a list is searched; values and thresholds are of all


def searched(
    features: Any,
    values: Matrix,
    target: NDArray[Any],
    weight: Matrix,
    classes: int,
    most: int,
    rng: np.random.Generator,
) -> CandidateTrees:
    """Where candidates come from, on at most 8,000 of the rows.

    Parameters
    ----------
    features, values, target, weight, classes, most
        As in :class:`limbeck.students.rules.candidates.CandidateTrees`.
    rng : numpy.random.Generator
        Draws the rows.
    """
    some: Any = slice(None)
    if len(values) > _MOST_ROWS:
        some = np.sort(rng.choice(len(values), _MOST_ROWS, replace=False))
    return CandidateTrees(features, values[some], target[some], weight[some], classes, most)


def means(
    inside: Sequence[NDArray[Any]], target: NDArray[Any], weight: Matrix, classes: int
) -> tuple[Matrix, Matrix]:
    """Class fractions or mean values of groups of rows, and their shares of all.

    Parameters
    ----------
    inside : sequence of ndarray
        The rows of each group, as an index. An empty group gets the mean of all rows.
    target : ndarray of shape (n,)
        Positions of classes, or values.
    weight : ndarray of shape (n,)
        How much each row counts.
    classes : int
        The number of classes; 0 for values.

    Returns
    -------
    value : ndarray of shape (groups, k)
    share : ndarray of shape (groups,)
        Of the weight of all rows.
    """
    each = statistics(target, weight, classes) if classes else (weight * target)[:, None]
    sums = np.array([each[rows].sum(axis=0) for rows in inside])
    total = np.array([weight[rows].sum() for rows in inside])
    if classes:
        total = sums.sum(axis=1)  # so that fractions add up to 1
    everything = each.sum(axis=0) / weight.sum()
    empty = total <= 0
    value = np.where(empty[:, None], everything, sums / np.where(empty, 1.0, total)[:, None])
    return value, total / weight.sum()


def decided(clauses: Sequence[Clause], values: Matrix) -> list[NDArray[np.int64]]:
    """The rows that each clause decides as the first that holds, then those that none does.

    Parameters
    ----------
    clauses : sequence of Clause
        In order.
    values : ndarray of shape (n, d)
        Encoded rows.
    """
    found = first_true(clauses, values)
    return [np.flatnonzero(found == i) for i in range(len(clauses) + 1)]
