"""Which pairs of columns say more than their sum (FAST: Lou, Caruana, Gehrke, Hooker 2013)."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Features
from limbeck.students.additive.bins import Bins
from limbeck.students.additive.steps import StepTerms

__all__ = ["best_pairs"]

_MOST_COLUMNS = 40
_MOST_ROWS = 10_000


def best_pairs(
    bins: Bins,
    features: Features,
    codes: NDArray[np.int64],
    residual: NDArray[np.float64],
    weight: NDArray[np.float64],
    columns: NDArray[np.int64],
    most: int,
) -> list[tuple[int, int]]:
    """The pairs whose tables explain most of what curves leave, best first.

    Parameters
    ----------
    bins : Bins
        How the columns are cut.
    features : Features
        The columns.
    codes : ndarray of int, shape (n, d)
        Binned rows; of more than 10,000 every so manyth is looked at.
    residual : ndarray of shape (n, k)
        What the curves leave of the targets.
    weight : ndarray of shape (n,)
        Weights of the rows.
    columns : ndarray of int
        The columns that may be paired, most important first; the first 40 are.
    most : int
        The most pairs.
    """
    every = max(1, len(codes) // _MOST_ROWS)
    codes, residual, weight = codes[::every], residual[::every], weight[::every]
    gains: dict[tuple[int, int], float] = {}
    for a, b in combinations(sorted(columns[:_MOST_COLUMNS].tolist()), 2):
        group = StepTerms.of(bins, features, [(a, b)]).groups[-1]
        if not len(group.prices):
            continue
        cell = group.cell(codes)
        mass = np.bincount(cell, weight, len(group.table))
        gain = 0.0
        for r in residual.T:
            sums = np.bincount(cell, weight * r, len(mass))
            gain += float((sums[mass > 0] ** 2 / mass[mass > 0]).sum())
        gains[a, b] = gain
    return sorted(gains, key=lambda pair: -gains[pair])[:most]
