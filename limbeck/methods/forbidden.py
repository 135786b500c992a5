"""Columns that a student must not use: to its method they are the same in every row.

A column without two different values has no threshold, no level and no weight of its own, so that
no method can use it. The teacher still gets the rows as they are, and so do samplers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput, did_you_mean, list_of_names

__all__ = ["forbidden_columns", "hide"]


def forbidden_columns(features: Features, forbidden: Sequence[str]) -> NDArray[np.bool_]:
    """Which columns are forbidden, of shape (d,).

    Parameters
    ----------
    features : Features
        The d columns.
    forbidden : sequence of str
        Their names.

    Raises
    ------
    InvalidInput
        If there is no such column, or none is left.
    """
    given = list_of_names("forbidden", forbidden)
    at = {str(column.name): j for j, column in enumerate(features.columns)}
    out = np.zeros(len(at), dtype=np.bool_)
    for name in given:
        if str(name) not in at:
            raise InvalidInput(f"There is no column {name!r}.", did_you_mean(str(name), at))
        out[at[str(name)]] = True
    if out.all():
        raise InvalidInput(
            f"forbidden names all {len(at)} columns.", "Leave at least one to ask about."
        )
    return out


def hide(
    features: Features, values: NDArray[np.float64], forbidden: Sequence[str]
) -> NDArray[np.float64]:
    """Encoded rows (n, d) with the same number in every row of a forbidden column.

    Parameters
    ----------
    features : Features
        The d columns.
    values : ndarray of shape (n, d)
        Encoded rows; returned as they are where nothing is forbidden.
    forbidden : sequence of str
        Names of columns.

    Raises
    ------
    InvalidInput
        If there is no such column, or none is left.
    """
    given = list_of_names("forbidden", forbidden)
    if not given:
        return values
    out = values.copy()
    out[:, forbidden_columns(features, given)] = 0.0
    return out
