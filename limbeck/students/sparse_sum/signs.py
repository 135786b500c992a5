"""Signs that weights must have, so that a sum only rises, or only falls, with a column."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from limbeck.students.sparse_sum.terms import SumTerm

__all__ = ["fitting_signs", "signs_of"]

_WAY = {"<=": -1, ">": 1, "is": 1, "is not": -1}  # with a boolean: is true, is not true


def signs_of(terms: Sequence[SumTerm], rises: NDArray[np.int64]) -> NDArray[np.float64]:
    """The sign that the weight of each term must have, of shape (t,).

    1 or -1; 0 where any will do; NaN where no weight keeps to the directions, as that of a rule
    that holds between two thresholds.

    Parameters
    ----------
    terms : sequence of SumTerm
        t of them.
    rises : ndarray of shape (d,), int
        1 for columns with which the sum may only rise, -1 only fall, else 0.
    """
    out = np.zeros(len(terms))
    for i, term in enumerate(terms):
        if term.kind == "all":
            ways = {
                int(rises[t.column]) * _turned(t.op, t.value)
                for t in term.tests if rises[t.column] and t.op not in ("missing", "present")
            }  # fmt: skip
        else:
            ways = {int(rises[term.column]) * (-1 if term.kind == "below" else 1)} - {0}
        out[i] = np.nan if len(ways) > 1 else next(iter(ways), 0)
    return out


def _turned(op: str, value: float) -> int:
    """The direction of a condition on a number or a boolean."""
    return -_WAY[op] if op in ("is", "is not") and value == 0.0 else _WAY[op]


def fitting_signs(
    weights: NDArray[np.float64], signs: NDArray[np.float64] | None
) -> NDArray[np.bool_]:
    """Which weights have the sign that they must have, or are 0.

    Parameters
    ----------
    weights : ndarray of shape (t, k)
        Weights.
    signs : ndarray of shape (t,), or None
        As from `signs_of`.
    """
    if signs is None:
        return np.ones(weights.shape, dtype=np.bool_)
    wrong = (signs[:, None] * weights < 0) | (np.isnan(signs)[:, None] & (weights != 0))
    return np.asarray(~wrong)
