"""Fresh rows near the data: a row, a little noise, and a few values from other rows."""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from limbeck.errors import InvalidInput
from limbeck.features import Features, Rows

__all__ = ["Jitter"]

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Jitter:
    """Rows near the data, for asking a teacher about inputs that resemble those it was made for.

    A row is picked at random. Each of its values is, with probability ``swap``, exchanged for that
    of another random row, and otherwise, if it is a number, moved by Gaussian noise. Values stay
    within the observed range; whole-numbered columns keep to the observed numbers; categories,
    booleans, columns with two values and missing values are only exchanged, never moved. So
    missing values keep their rate.

    Parameters
    ----------
    scale : float
        Standard deviation of the noise, in units of the column's spread: the smaller of standard
        deviation and interquartile range / 1.349 (Silverman 1986, equation 3.30).
    swap : float
        Probability, a value, of the exchange.

    Raises
    ------
    InvalidInput
        If ``scale`` is negative or ``swap`` no probability.
    """

    scale: float = 0.2
    swap: float = 0.2

    def __post_init__(self) -> None:
        if not (np.isfinite(self.scale) and self.scale >= 0):
            raise InvalidInput(f"scale is {self.scale}.", "Give a number of at least 0.")
        if not 0 <= self.swap <= 1:
            raise InvalidInput(f"swap is {self.swap}.", "Give a probability from 0 to 1.")

    def draw(self, rows: Rows, n: int, rng: np.random.Generator) -> Rows:
        """Draw n new rows near ``rows``.

        Parameters
        ----------
        rows : Rows
            The data, of N rows and d columns.
        n : int
            Rows to draw.
        rng : numpy.random.Generator
            The source of chance.

        Returns
        -------
        Rows
            Of shape (n, d), in the columns of ``rows``.

        Raises
        ------
        InvalidInput
            If n is negative.
        """
        if n < 0:
            raise InvalidInput(f"n is {n}.", "Ask for a number of rows.")
        seen = _profile(rows)
        out = rows.values[rng.integers(len(rows), size=n)]
        moved = seen.moved
        if self.scale > 0 and moved.size:
            noise = rng.standard_normal((n, moved.size))
            noise *= self.scale * seen.spread
            noise += out[:, moved]
            out[:, moved] = np.clip(noise, seen.low, seen.high, out=noise)
            for j, grid in seen.grids.items():
                out[:, j] = _nearest(grid, out[:, j])
            for dtype, columns in seen.narrow.items():  # what the teacher's dtype can hold
                out[:, columns] = out[:, columns].astype(dtype)
        places = np.nonzero(rng.random(out.shape) < self.swap)
        out[places] = rows.values[rng.integers(len(rows), size=len(places[1])), places[1]]
        return Rows(rows.features, out)

    def describe(self) -> str:
        """The distribution in words."""
        return (
            f"rows of the data, numbers moved by Gaussian noise of {self.scale:g} times the"
            f" column's spread, and each value exchanged for that of another row with probability"
            f" {self.swap:g}"
        )


@dataclass(frozen=True)
class _Profile:
    """What a draw must know of the columns."""

    moved: NDArray[np.int64]  # columns to which noise is added; the next three go with them
    spread: Vector
    low: Vector
    high: Vector
    grids: dict[int, Vector]  # the observed numbers of whole-numbered columns
    narrow: dict[str, list[int]]  # columns of half and single precision


# Methods draw from the same rows thousands of times; an entry lives as long as its rows.
_PROFILES: WeakKeyDictionary[Rows, _Profile] = WeakKeyDictionary()


def _profile(rows: Rows) -> _Profile:
    if rows not in _PROFILES:
        _PROFILES[rows] = _measure(rows)
    return _PROFILES[rows]


def _measure(rows: Rows) -> _Profile:
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
    return _Profile(
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
