"""With which probability a row is asked about, from how much the student doubts its answer."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.certificates.evidence import Predictor, count
from limbeck.core.errors import InvalidInput

__all__ = ["doubts_of", "probabilities"]

_FIRST = 200
"""Rows before the first look at how doubtful rows are."""


def probabilities(doubt: NDArray[np.float64], share: float, least: float) -> NDArray[np.float64]:
    """The probability with which each row is asked about: c sqrt(doubt), within [least, 1].

    The factor c, with which the average is ``share``, is that of the rows before: of the first
    200 for the next 200, of those 400 for the next 400, and so on. So the probability of a row
    depends on it and on earlier rows alone, as the bound needs. The first 200 rows are asked
    about with probability ``share`` each.

    Parameters
    ----------
    doubt : ndarray of shape (n,)
        Expected losses, but for a factor.
    share, least : float
        As for `certify_active`.

    Returns
    -------
    ndarray of shape (n,)
    """
    out = np.full(len(doubt), share)
    root = np.sqrt(doubt)
    start = _FIRST
    while start < len(doubt):
        end = min(2 * start, len(doubt))
        out[start:end] = np.clip(_factor(root[:start], share, least) * root[start:end], least, 1.0)
        start = end
    return out


def _factor(root: NDArray[np.float64], share: float, least: float) -> float:
    """The c with which the mean of clip(c root, least, 1) is ``share``, as near as can be."""
    positive = root[root > 0]
    if not len(positive):
        return 0.0
    low, high = 0.0, 1.0 / float(positive.min())
    for _ in range(60):
        middle = (low + high) / 2
        if np.clip(middle * root, least, 1.0).mean() > share:
            high = middle
        else:
            low = middle
    return low


def doubts_of(student: Predictor, rows: Any, doubt: Any) -> NDArray[np.float64]:
    """The doubt of every row, checked.

    Parameters
    ----------
    student : Predictor
        Its ``predict_proba`` gives the doubt where ``doubt`` is None.
    rows : table of n rows
        Rows to be sampled from.
    doubt : array-like of shape (n,), or None
        Doubt per row, 0 or more: larger where the student may be wrong.
    """
    n = count(rows)
    if doubt is None:
        tell = getattr(student, "predict_proba", None)
        if tell is None:
            raise InvalidInput(
                "The student has no predict_proba by which its doubt is known.",
                "Give doubt=..., a number for each row that is larger where it may be wrong.",
            )
        return np.asarray(1.0 - np.asarray(tell(rows)).max(axis=1), dtype=np.float64)
    out = np.asarray(doubt, dtype=np.float64)
    if out.shape != (n,) or not np.isfinite(out).all() or (out < 0).any():
        raise InvalidInput(
            f"doubt has shape {out.shape} for {n} rows, or holds what is no number from 0.",
            "Give one finite number of 0 or more a row.",
        )
    return out
