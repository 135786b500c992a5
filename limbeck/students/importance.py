"""How much each column matters to a student: one definition for all of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Features, Rows

__all__ = ["MOST_COLUMNS", "feature_importances"]

_ROWS, _CELLS = 1000, 200_000  # are exchanged for each column, and for all together
MOST_COLUMNS = 2000


def feature_importances(
    student: Any,
    features: Features,
    values: NDArray[np.float64],
    columns: Iterable[int] | None = None,
) -> NDArray[np.float64]:
    """How much predictions change when a column's values are exchanged between rows.

    The model reliance of Fisher, Rudin, Dominici (2019), with the student's own
    predictions in the place of the outcome: the mean change of the predicted probabilities (half
    their absolute difference, summed over classes), of labels where there are none, or the mean
    absolute change of a value. From 100 to 1,000 rows are used, the fewer the more columns; the
    exchange is the same in each call.

    Parameters
    ----------
    student : Student
        A fitted student.
    features : Features
        Its d columns.
    values : ndarray of shape (n, d)
        Encoded rows.
    columns : iterable of int, optional
        The columns that the student can use; the others are 0 without being tried.

    Returns
    -------
    ndarray of shape (d,)
        Shares that add up to 1; all 0 where no column matters.
    """
    rng = np.random.default_rng(0)
    n, d = values.shape
    tried = list(range(d) if columns is None else sorted(set(columns)))
    rows = min(_ROWS, max(100, _CELLS // max(len(tried), 1)))
    some = values[np.sort(rng.permutation(n)[:rows])]
    other = some[rng.permutation(len(some))]
    before = _predicted(student, Rows(features, some))
    changes = np.zeros(d)
    for j in tried:
        if np.array_equal(some[:, j], other[:, j], equal_nan=True):
            continue
        changed = some.copy()
        changed[:, j] = other[:, j]
        changes[j] = _change(before, _predicted(student, Rows(features, changed)))
    total = changes.sum()
    return changes / total if total > 0 else changes


def _predicted(student: Any, rows: Rows) -> NDArray[Any]:
    told = student.predict_proba if hasattr(student, "predict_proba") else student.predict
    return np.asarray(told(rows))


def _change(before: NDArray[Any], after: NDArray[Any]) -> float:
    if before.ndim == 2:
        return float(np.abs(before - after).sum(axis=1).mean() / 2)
    if before.dtype.kind == "f":
        return float(np.abs(before - after).mean())
    return float((before != after).mean())
