"""Splits that keep together what belongs together: copies of a row, and rows of a case."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from limbeck.data.cases import Units
from limbeck.data.duplicates import identical_rows

__all__ = ["FOLDS", "few_values", "split_folds", "split_units"]

FOLDS = 5
"""Of a cross-fitting, where nothing else is said."""
_FEW_ROWS, _FEW_VALUES = 50, 10


def split_units(
    units: Units, order: NDArray[np.int64], share: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places of the rows on two sides, whole units on each.

    Parameters
    ----------
    units : Units
        The unit of each of n rows.
    order : ndarray of shape (m,), int64
        A random permutation of the m units.
    share : float
        The share of units on the second side, in (0, 1).

    Returns
    -------
    tuple of two ndarrays of int64
        Places of the rows of the first side, in the order of their units, and of the second side,
        in ascending order.
    """
    aside = round(units.count * share)
    rank = np.empty(units.count, dtype=np.int64)
    rank[order] = np.arange(units.count)
    ranks = rank[units.of]  # of each row
    first = np.argsort(ranks, kind="stable")
    return first[ranks[first] >= aside], np.flatnonzero(ranks < aside)


def split_folds(
    values: NDArray[np.float64], rng: np.random.Generator, folds: int = FOLDS
) -> NDArray[np.int64]:
    """A fold for every row, of shape (n,); equal rows share one, as they may be copies.

    Where columns have a few values each and there are hardly any different rows, equal rows are
    coincidences: without all rows of a kind nothing is left to predict it from. They are dealt
    one by one then.

    Parameters
    ----------
    values : ndarray of shape (n, d)
        Encoded rows; missing (NaN) agrees with missing.
    rng : numpy.random.Generator
        Deals them out.
    folds : int
        How many there are.

    Examples
    --------
    >>> rows = np.array([[np.nan], [0.5], [np.nan], [1.5]])
    >>> split_folds(rows, np.random.default_rng(0), 2)
    array([1, 0, 1, 0])
    """
    _, first, group = np.unique(identical_rows(values), return_index=True, return_inverse=True)
    different = len(first)
    if different <= min(_FEW_ROWS, len(group) // 2) and few_values(values):
        return np.asarray(rng.permutation(len(group)) % folds, dtype=np.int64)
    dealt = np.empty(different, dtype=np.int64)
    dealt[np.lexsort(values[first].T[::-1])] = rng.permutation(different) % folds  # by value
    return dealt[group]


def few_values(values: NDArray[np.float64]) -> bool:
    """Whether each column holds at most ten values, a missing one included.

    Parameters
    ----------
    values : ndarray of shape (n, d)
        Encoded rows.
    """
    return all(len(np.unique(column)) <= _FEW_VALUES for column in values.T)
