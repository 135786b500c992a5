"""What samplers know of columns: which may be moved by noise, and where values must stay."""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Features, Rows

__all__ = ["Profile", "profile_of"]

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Profile:
    """Which columns may be moved, and where their values stay."""

    moved: NDArray[np.int64]  # columns to which noise is added; the next three go with them
    spread: Vector
    low: Vector
    high: Vector
    grids: dict[int, Vector]  # the observed numbers of whole-numbered columns
    narrow: dict[str, list[int]]  # columns of half and single precision

    def settle(self, values: NDArray[np.float64], moved: NDArray[np.float64]) -> None:
        """Write moved values (n, m) into rows (n, d): within the observed range, whole-numbered
        columns at the nearest observed number, others as the teacher's dtype can hold them.

        Parameters
        ----------
        values : ndarray of shape (n, d)
            Encoded rows; changed in place.
        moved : ndarray of shape (n, m)
            New values of the m columns that are sampled.
        """  # noqa: D205
        values[:, self.moved] = np.clip(moved, self.low, self.high, out=moved)
        for j, grid in self.grids.items():
            values[:, j] = _nearest(grid, values[:, j])
        for dtype, columns in self.narrow.items():
            values[:, columns] = values[:, columns].astype(dtype)


# Methods draw from the same rows thousands of times; an entry lives as long as its rows.
_PROFILES: WeakKeyDictionary[Rows, Profile] = WeakKeyDictionary()


def profile_of(rows: Rows) -> Profile:
    """What :class:`Profile` says of some rows, measured once."""
    if rows not in _PROFILES:
        _PROFILES[rows] = _measure(rows)
    return _PROFILES[rows]


def _measure(rows: Rows) -> Profile:
    moved, spread, low, high = [], [], [], []
    grids: dict[int, Vector] = {}
    narrow: dict[str, list[int]] = {}
    for j, column in enumerate(rows.features.columns):
        values = rows.values[:, j]
        values = values[~np.isnan(values)]
        if column.kind != "numeric" or not len(values):
            continue
        least, most = values.min(), values.max()
        if ((values == least) | (values == most)).all():
            continue  # one value or two: a flag, such as +-1 or one-hot, that noise would break
        moved.append(j)
        spread.append(_spread(values))
        low.append(least)
        high.append(most)
        dtype = _dtype(rows.features, j)
        if (values == np.rint(values)).all():
            grids[j] = np.unique(values)
        elif dtype in ("float16", "float32"):
            narrow.setdefault(dtype, []).append(j)
    return Profile(
        np.array(moved, dtype=np.int64),
        np.array(spread),
        np.array(low),
        np.array(high),
        grids,
        narrow,
    )


def _spread(values: Vector) -> float:
    q1, q3 = np.quantile(values, [0.25, 0.75])
    deviation, quartiles = float(values.std()), float(q3 - q1) / 1.349
    return min(deviation, quartiles) if quartiles > 0 else deviation


def _dtype(features: Features, j: int) -> str:
    return features.dtypes[j if features.frame else 0].lower()


def _nearest(grid: Vector, values: Vector) -> Vector:
    """The value of a sorted grid nearest to each value; missing stays missing."""
    right = np.clip(np.searchsorted(grid, values), 1, len(grid) - 1)
    left, after = grid[right - 1], grid[right]
    near = np.where(values - left <= after - values, left, after)
    return np.where(np.isnan(values), np.nan, near)
