"""What keeps a column from being audited.

Shapes: n rows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from limbeck.audits.reading import Read

__all__ = ["unfit"]

_MANY_LEVELS = 500
_MOSTLY_MISSING = 0.95

Vector = NDArray[np.float64]


def unfit(read: Read, name: str, s: Vector, o: Vector | None) -> tuple[str, str]:
    """Why a column that was read cannot be audited, and the remedy; empty texts if it can.

    Parameters
    ----------
    read : Read
        The column, of n rows.
    name : str
        For the remedy.
    s, o : ndarray of shape (n,)
        Score and outcome; the outcome may be None.
    """
    present = read.values.dropna()
    missing = 1 - len(present) / len(read.values)
    if missing > _MOSTLY_MISSING:
        return f"{missing:.1%} of its values are missing", "Fill it in, or audit without it."
    if read.refused:
        return read.refused, read.remedy
    distinct = len(present.unique())
    if distinct <= 1 and missing == 0:
        return "it has the same value in every row", "Nothing can be learned from it."
    if read.reading.kind not in ("number", "yes or no"):
        if distinct > 0.9 * len(present):
            return "it names the rows", "Group its values if they mean something."
        if distinct > _MANY_LEVELS:
            why = f" ({read.reading.note})" if read.reading.note else ""
            return f"it has {distinct:,} levels{why}", "Group them into fewer, and audit again."
        return "", ""
    v = read.values.to_numpy(dtype=np.float64, na_value=np.nan)
    there = np.isfinite(v)
    if there.all() and distinct == len(v) and _is_running(v):
        return "it numbers the rows", "Audit it under another form if its order means something."
    if o is not None and there.all() and (_same(v, o) or _same(1 - v, o)):
        return "it is the outcome itself", "Leave it out."
    if _same(v, s):
        return "it is the score itself", "Leave it out."
    if there.all() and _monotone_equal(v, s):
        return (
            "each of its values goes with one value of the score, so that it says the same",
            "If the score is computed from it alone, that is all there is to audit.",
        )
    return "", ""


def _same(a: Vector, b: Vector) -> bool:
    return bool(np.array_equal(a, b))


def _monotone_equal(v: Vector, s: Vector) -> bool:
    """Whether each value of either goes with one value of the other, in the same or other order."""
    if len(np.unique(s)) < 3:
        return False
    a, b = np.unique(v, return_inverse=True)[1], np.unique(s, return_inverse=True)[1]
    return bool((a == b).all() or (a == b.max() - b).all())


def _is_running(v: Vector) -> bool:
    """Whether the values are whole numbers that rise or fall from row to row, as an id does."""
    if not (v == np.round(v)).all():
        return False
    steps = np.diff(v)
    return bool((steps > 0).all() or (steps < 0).all())
