"""What keeps a column from being audited, and what looks strange about one that is.

Shapes: n rows.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.audits.results import Caveat
from limbeck.features import Feature

__all__ = ["looks_strange", "unfit"]

_MANY_LEVELS = 500
_MOSTLY_MISSING = 0.95
_LEAK_AUC = 0.95

Vector = NDArray[np.float64]


def unfit(column: Any, name: str, s: Vector, o: Vector | None) -> tuple[str, str]:
    """Why a column cannot be audited, and the remedy; empty texts if it can."""
    from pandas.api import types

    present = column.dropna()
    distinct = 0 if not len(present) else len(set(map(str, present.tolist())))
    missing = 1 - len(present) / len(column)
    if missing > _MOSTLY_MISSING:
        return f"{missing:.1%} of its values are missing", "Fill it in, or audit without it."
    if distinct <= 1 and missing == 0:
        return "it has the same value in every row", "Nothing can be learned from it."
    if types.is_datetime64_any_dtype(column.dtype) or types.is_timedelta64_dtype(column.dtype):
        return "it holds dates", "Turn it into a number, such as days since a date or an age."
    number = types.is_numeric_dtype(column.dtype)
    if types.is_complex_dtype(column.dtype):
        return "it holds complex numbers", "Give real and imaginary part as two columns."
    if not number:
        plain = all(isinstance(v, str) for v in present) or all(
            isinstance(v, bool) for v in present
        )
        if not plain and not hasattr(column, "cat"):
            return "it holds neither numbers nor text", "Give numbers, booleans or text."
        if _are_dates(present):
            return "it holds dates as text", "Turn it into a number, such as days since a date."
        if distinct > 0.9 * len(present):
            return "it names the rows", "Group its values if they mean something."
        if distinct > _MANY_LEVELS:
            return f"it has {distinct:,} levels", "Group them into fewer, and audit again."
        return "", ""
    v = column.to_numpy(dtype=np.float64, na_value=np.nan)
    if np.isinf(v).any():
        return "it holds infinite values", "Replace them by numbers, or leave them empty."
    there = np.isfinite(v)
    if there.all() and distinct == len(v) and _is_running(v):
        return "it numbers the rows", "Audit it under another form if its order means something."
    if o is not None and there.all() and (_same(v, o) or _same(1 - v, o)):
        return "it is the outcome itself", "Leave it out."
    if _same(v, s) or (there.all() and _monotone_equal(v, s)):
        return "it is the score itself in another scale", "Leave it out."
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


def _are_dates(present: Any) -> bool:
    few = [str(v) for v in present.iloc[:50]]
    pattern = re.compile(r"\d{4}-\d{2}-\d{2}([ T].*)?|\d{1,2}[/.]\d{1,2}[/.]\d{2,4}([ T].*)?")
    return bool(few) and all(pattern.fullmatch(v) for v in few)


def looks_strange(column: Feature, v: Vector, s: Vector, o: Vector | None) -> list[Caveat]:
    """Caveats for a feature that stays: it may tell the outcome, or is often missing."""
    from sklearn.metrics import roc_auc_score

    out = []
    missing = float(np.isnan(v).mean())
    if missing > 0.5:
        out.append(
            Caveat(
                column.name,
                f"{missing:.0%} of {column.name} is missing; missing is one of its levels.",
                "Ask why it is missing: that may tell more than the values.",
            )
        )
    if _is_made_from(v, s):
        out.append(
            Caveat(
                column.name,
                f"Leak: {column.name} follows from the score: rows of equal score agree in it. It"
                " was probably made from the score, and explains it without telling why.",
                f"Leave it out with drop=({column.name!r},).",
            )
        )
    if o is None:
        return out
    if column.kind == "categorical":
        code = np.where(np.isnan(v), len(column.levels), v).astype(np.int64)
        n, hits = np.bincount(code), np.bincount(code, o)
        own = (hits[code] - o + o.mean()) / n[code]  # each row left out of its level's rate
        guess = own
    else:
        guess = np.where(np.isnan(v), np.nanmedian(v), v)
    auc = float(roc_auc_score(o, guess))
    if max(auc, 1 - auc) > _LEAK_AUC:
        out.append(
            Caveat(
                column.name,
                f"Leak: {column.name} alone tells the outcome (AUC {max(auc, 1 - auc):.3f}); it was"
                " probably recorded after the outcome, and every number below is spoilt by it.",
                f"Leave it out with drop=({column.name!r},) unless the score's maker could know"
                " it.",
            )
        )
    return out


def _is_made_from(v: Vector, s: Vector) -> bool:
    """Whether the score decides the feature, where scores repeat often enough to tell."""
    code = np.unique(np.nan_to_num(v, nan=np.inf), return_inverse=True)[1]
    at = np.unique(s, return_inverse=True)[1]
    low = np.full(int(at.max()) + 1, code.max() + 1)
    high = np.full(int(at.max()) + 1, -1)
    np.minimum.at(low, at, code)
    np.maximum.at(high, at, code)
    rare = np.bincount(code).min() < 5 and len(np.bincount(code)) == 2
    return len(s) >= 5 * len(low) and bool((low == high).all()) and not rare
