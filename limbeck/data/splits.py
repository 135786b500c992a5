"""Splits by independent draws: copies of a row, and rows of a case, stay on one side."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from limbeck.data.cases import Units

__all__ = ["split_units"]


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
