"""From losses of rows to losses of independent draws: different rows, or cases."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.data.cases import units_of

__all__ = ["losses_by_draw"]


def losses_by_draw(
    losses: NDArray[np.float64],
    first: NDArray[np.int64],
    cases: NDArray[Any] | None = None,
    *,
    one: bool = False,
) -> NDArray[np.float64]:
    """One loss for each independent draw, in the order in which draws first occur.

    Copies of a row count once; where their losses differ, since the teacher or the student told
    them apart, the largest counts. The loss of a case is the mean over its different rows, or
    that of one of them drawn at random: its expectation is the same, and it takes the values that
    the loss of a row takes.

    Parameters
    ----------
    losses : ndarray of shape (n,)
        Losses of the rows.
    first : ndarray of shape (n,), int64
        Of which row each is a copy; see `limbeck.data.duplicates.Duplicates`.
    cases : ndarray of shape (n,), optional
        The case of each row.
    one : bool
        Draw one row of each case, rather than take the mean; always the same for the same rows in
        the same order.

    Returns
    -------
    ndarray of shape (m,)
        Losses of the draws.
    """
    worst = np.array(losses, dtype=np.float64)
    np.maximum.at(worst, first, losses)
    units = units_of(first, cases)
    own, of = worst[units.kept], units.of[units.kept]
    if cases is None:
        return np.asarray(own)
    if not one:
        times = np.bincount(of, minlength=units.count)
        return np.asarray(np.bincount(of, own, minlength=units.count) / times)
    order = np.lexsort((np.random.default_rng(0).random(len(own)), of))
    starts = np.flatnonzero(np.diff(of[order], prepend=-1))
    return np.asarray(own[order[starts]])
