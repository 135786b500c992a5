"""A rule list that says the same of its rows and reads better: large rules first.

The search puts a rule where it lowers the cost most; among places that are as good it takes the
first, so that an exception of a few rows may stand before rules that it has nothing to do with.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from limbeck.students.rules.clause import Clause

__all__ = ["by_support"]

Matrix = NDArray[np.float64]


def by_support(clauses: Sequence[Clause], values: Matrix, weight: Matrix) -> list[Clause]:
    """The same list with rules of more rows first, where neighbours have no row in common.

    Parameters
    ----------
    clauses : sequence of Clause
        In order.
    values : ndarray of shape (n, d)
        Encoded rows.
    weight : ndarray of shape (n,)
        How much each row counts.
    """
    out = [(clause, clause.holds(values)) for clause in clauses]
    for _ in clauses:
        changed, left = False, np.ones(len(values), dtype=np.bool_)
        for i in range(len(out) - 1):
            first, second = (holds & left for _, holds in out[i : i + 2])
            if not (first & second).any() and weight[second].sum() > weight[first].sum():
                out[i : i + 2] = out[i + 1], out[i]
                changed = True
            left &= ~out[i][1]
        if not changed:
            break
    return [clause for clause, _ in out]
