"""How many numbers a reader must hold of a table of contributions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["numbers_of"]

Vector = NDArray[np.float64]


def numbers_of(table: Vector, kinds: tuple[str, ...], seen: tuple[NDArray[np.bool_], ...]) -> int:
    """The numbers of the steps, levels and products that a table is a sum of.

    Along a number the table is a first contribution and changes at thresholds; along a category
    the commonest contribution, and changes at levels. What does not change is the intercept's.

    Parameters
    ----------
    table : ndarray of shape (b,) or (a, b), and a last axis for several classes
        Contributions; missing values are last.
    kinds : tuple of str
        The kind of each column.
    seen : tuple of ndarray of bool
        Which bins of each column hold training rows.

    Returns
    -------
    int
        Thresholds (those of a boolean and of missing values are none), and changes that are not 0.

    Examples
    --------
    >>> import numpy as np
    >>> seen = (np.array([True, True, True, False]),)
    >>> numbers_of(np.array([0.0, 0.5, 0.5, 0.0]), ("numeric",), seen)  # one step
    2
    """
    d = len(kinds)
    wide = table if table.ndim > d else table[..., None]
    small = 1e-9 * max(float(np.abs(wide).max(initial=0.0)), 1e-300)
    named: list[Vector] = []
    for axis, kind in enumerate(kinds):
        wide, prices = _changes(wide, axis, kind, seen[axis], small)
        named.append(prices)
    moves = np.abs(wide) > small
    if d == 1:
        moves[0] = False
        return int((moves.any(axis=1) * named[0]).sum() + moves.sum())
    price = np.add.outer(named[0], named[1])  # of one condition, where the other axis is at 0
    price[1:, 1:] = 2.0
    moves[0, 0] = False
    return int((moves.any(axis=2) * price).sum() + moves.sum())


def _changes(
    table: Vector, axis: int, kind: str, seen: NDArray[np.bool_], small: float
) -> tuple[Vector, Vector]:
    """The table as a first entry and changes along an axis, and what names each."""
    t = np.moveaxis(table, axis, 0).copy()
    count = len(t)
    if kind == "categorical":
        flat = np.round(t.reshape(count, -1) / small)
        _, at, times = np.unique(flat[seen], axis=0, return_inverse=True, return_counts=True)
        base = int(np.flatnonzero(seen)[np.argmax(times[at.reshape(-1)])])
        t[~seen] = t[base]  # no row is there: nothing to remember
        t = t[np.concatenate([[base], np.delete(np.arange(count), base)])]
        t[1:] -= t[0]
        return np.moveaxis(t, 0, axis), np.zeros(count)
    t[-1] = t[-1] - t[0] if seen[-1] else 0.0
    t[1:-1] = np.diff(t[:-1], axis=0)
    prices = np.full(count, 0.0 if kind == "boolean" else 1.0)
    prices[0] = prices[-1] = 0.0
    return np.moveaxis(t, 0, axis), prices
