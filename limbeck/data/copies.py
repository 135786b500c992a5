"""Identical rows with an outcome: different people, or copies of one?

Where all columns take few values, people agree by coincidence, and each counts. A copy says nothing
new: counted as people, copies make every test too sure. `limbeck.data.duplicates` tells the two
apart by values alone; here it is known what happened as well. People who agree in all other columns
still differ in the outcome now and then, as often as its probability says; copies never do.
Shapes: n rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from limbeck.data.duplicates import identical_rows, times_repeated

__all__ = ["Copies", "find_copies"]

_AGREE = 0.2
"""Correlation of the outcomes of identical rows, less what a model of the outcome explains, above
which they are taken for copies: 0 for different people, 1 for copies."""
_SURE = 3.0
"""Standard errors by which it must lie above: a few identical rows prove nothing."""
_MOST_ROWS = 20_000
_FOLDS = 3

Vector = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Copies:
    """How often each row counts.

    Parameters
    ----------
    count : ndarray of int64, shape (n,)
        The number of different people that each row stands for; 0 for a copy of an earlier row.
    times : int
        Each distinct row was there this many times, or a multiple of it; 1 where it was not.
    kind : str
        ``none`` (no identical rows), ``chance`` (identical rows that count as people),
        ``multiples`` (each distinct row is there ``times`` times, and what is left are people) or
        ``copies`` (each distinct row counts once).
    identical : int
        Rows (or people) that are identical to an earlier one.
    agreement : float
        Correlation of the outcomes of identical rows; ``nan`` where it was not needed.
    """

    count: Codes
    times: int
    kind: str
    identical: int
    agreement: float


def find_copies(
    values: Vector,
    outcome: Vector | None,
    people: Codes,
    continuous: bool,
    seed: int = 0,
) -> Copies:
    """Decide whether identical rows are different people or copies.

    Copies are assumed where every distinct row is there ``k`` times or a multiple of it (then one
    in ``k`` counts), where a column is continuous, and where the outcomes of rows that agree in
    everything else agree far more often than a cross-fitted model of the outcome expects.

    Parameters
    ----------
    values : ndarray of shape (n, m)
        All columns but the outcome as numbers, also for a model of the outcome: columns that record
        the outcome, too, make identical rows agree in it, and that is no sign of copies.
    outcome : ndarray of shape (n,) or None
        0 or 1. Without it only the first two rules apply.
    people : ndarray of shape (n,)
        Frequency weights; ones where there are none.
    continuous : bool
        Whether some column is continuous: then people do not agree in it by chance.
    seed : int
        Of the model's folds.
    """
    cell = identical_rows(values)
    row = cell
    if outcome is not None:
        row = identical_rows(np.column_stack([values, outcome]))
    first = np.unique(row, return_index=True)[1]
    total = np.bincount(row, weights=people).astype(np.int64)
    identical = int((total - 1).sum())
    if identical == 0:
        return Copies(people.copy(), 1, "none", 0, float("nan"))
    times = times_repeated(total)
    total = total // times
    agreement = float("nan")
    copies = False
    if (total > 1).any():
        if continuous:
            copies = True
        elif outcome is not None:
            agreement, error = _agreement(row, cell, total, first, values, outcome, seed)
            copies = agreement - _SURE * error > _AGREE
    if copies:
        total = np.ones_like(total)
    if not copies and times == 1:
        return Copies(people.copy(), 1, "chance", identical, agreement)
    count = np.zeros(len(row), dtype=np.int64)
    order = np.argsort(row, kind="stable")  # the first rows of each kind are kept
    place = np.arange(len(row)) - np.searchsorted(row[order], row[order])
    held = people[order] > 1
    if held.any():  # frequency weights: one row of each kind stands for all
        count[first] = total
    else:
        count[order[place < total[row[order]]]] = 1
    return Copies(count, times, "copies" if copies else "multiples", identical, agreement)


def _agreement(
    row: Codes,
    cell: Codes,
    total: Codes,
    first: NDArray[np.intp],
    values: Vector,
    outcome: Vector,
    seed: int,
) -> tuple[float, float]:
    """Intraclass correlation: of a row's outcome with another of its cell; and its error.

    The mean over rows, and its standard error if rows of a cell are independent.
    """
    at = np.unique(cell[first], return_inverse=True)[1]
    size = np.bincount(at, weights=total)
    ones = np.bincount(at, weights=total * outcome[first])
    p = _expected(values[first], outcome[first], total.astype(np.float64), at, seed)
    mean = np.bincount(at, weights=total * p) / size
    many = size > 1
    n, k, p = size[many], ones[many], np.clip(mean[many], 0.02, 0.98)
    if not len(n):
        return float("nan"), float("nan")
    pairs = (k - n * p) ** 2 - (k * (1 - 2 * p) + n * p * p)
    room = n * p * (1 - p)
    error = np.sqrt((room**2 * 2 / (n * (n - 1))).sum()) / room.sum()
    return min(1.0, float((pairs / (n - 1)).sum() / room.sum())), float(error)


def _expected(values: Vector, outcome: Vector, weight: Vector, at: Codes, seed: int) -> Vector:
    """The outcome's probability (n,), each cell by a model that did not see it."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    rng = np.random.default_rng(seed)
    fold = rng.integers(0, _FOLDS, int(at.max()) + 1)[at]
    out = np.full(len(values), float(np.average(outcome, weights=weight)))
    for k in range(_FOLDS):
        train = np.repeat(np.arange(len(fold)), np.where(fold != k, weight, 0).astype(np.int64))
        if len(train) > _MOST_ROWS:
            train = rng.choice(train, _MOST_ROWS, replace=False)
        if not len(train) or np.ptp(outcome[train]) == 0 or not (fold == k).any():
            continue
        some = ~np.isnan(values[train]).all(axis=0)  # scikit-learn bins no empty column
        if not some.any():
            continue
        model = HistGradientBoostingClassifier(
            max_iter=60, max_leaf_nodes=15, early_stopping=False, random_state=seed
        )
        model.fit(values[train][:, some], outcome[train])
        out[fold == k] = model.predict_proba(values[fold == k][:, some])[:, 1]
    return out
