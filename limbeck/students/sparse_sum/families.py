"""Which kinds of terms a sum may choose among, and what constraints leave of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from limbeck.students.sparse_sum.candidates import Candidates
from limbeck.students.sparse_sum.selection import SelectionLimits
from limbeck.students.sparse_sum.signs import signs_of
from limbeck.students.sparse_sum.sum_data import SumData
from limbeck.students.sparse_sum.terms import SumTerm

__all__ = ["families_of", "limits_of"]


def limits_of(pool: Candidates, data: SumData) -> tuple[SelectionLimits, NDArray[np.bool_]]:
    """What the candidates must keep to, and which of them can.

    Parameters
    ----------
    pool : Candidates
        m terms.
    data : SumData
        Rows, and what was forbidden.
    """
    possible = np.ones(len(pool.terms), dtype=np.bool_)
    signs = reads = None
    if data.rises is not None:
        signs = signs_of(pool.terms, data.rises)
        possible = ~np.isnan(signs)
        signs = np.nan_to_num(signs)
    if data.costs is not None:
        reads = np.zeros((len(pool.terms), len(data.costs)), dtype=np.bool_)
        for i, term in enumerate(pool.terms):
            reads[i, list(term.columns)] = True
    return SelectionLimits(signs, reads, data.costs), possible


def families_of(pool: Candidates, possible: NDArray[np.bool_]) -> dict[str, NDArray[np.bool_]]:
    """The kinds of terms that are tried together: fewer kinds overfit less.

    Parameters
    ----------
    pool : Candidates
        m terms.
    possible : ndarray of shape (m,), bool
        Which of them may be used at all.
    """
    kind = np.array([_family(t) for t in pool.terms])
    return {
        name: np.isin(kind, ["columns", *names]) & possible
        for name, names in {
            "columns": [], "steps": ["steps"], "hinges": ["hinges"], "rules": ["rules"],
            "all": ["steps", "hinges", "rules"],
        }.items()
    }  # fmt: skip


def _family(term: SumTerm) -> str:
    if term.kind != "all":
        return "columns" if term.kind == "column" else "hinges"
    if len(term.tests) > 1:
        return "rules"
    return "steps" if term.numbers else "columns"
