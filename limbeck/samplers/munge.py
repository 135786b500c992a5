"""Fresh rows between neighbours: MUNGE (Bucila, Caruana and Niculescu-Mizil 2006)."""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Rows
from limbeck.core.errors import InvalidInput
from limbeck.core.registry import SAMPLERS
from limbeck.data.duplicates import identical_rows
from limbeck.samplers.columns import Profile, profile_of

__all__ = ["Munge"]


@SAMPLERS.register("munge")
@dataclass(frozen=True)
class Munge:
    """Rows between a row and its nearest neighbour, so that columns keep moving together.

    A row e is picked at random; e' is the nearest of the rows that differ from it. Each of its
    values is, with probability ``p``, replaced: a number by one drawn from a normal distribution
    with mean e'_a and standard deviation |e_a - e'_a| / ``s``; a category, a boolean, a column of
    two values, or a value where either is missing, by that of e'. Values stay within the
    observed range, and whole-numbered columns keep to the observed numbers. (Bucila, Caruana and
    Niculescu-Mizil 2006, algorithm 1, which replaces the values of e and e' at once.)

    Near is Euclidean: numbers count by their distance over the column's spread, a category that
    differs as 1, and so does a value that is missing in one of the two.

    Parameters
    ----------
    p : float
        Probability, a value, of being replaced.
    s : float
        Local variance: the larger, the nearer to e' a number is drawn.

    Raises
    ------
    InvalidInput
        If ``p`` is no probability or ``s`` not positive.
    """

    p: float = 0.5
    s: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.p <= 1:
            raise InvalidInput(f"p is {self.p}.", "Give a probability from 0 to 1.")
        if not (np.isfinite(self.s) and self.s > 0):
            raise InvalidInput(f"s is {self.s}.", "Give a number above 0.")

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
        return self.draw_with_sources(rows, n, rng)[0]

    def draw_with_sources(
        self, rows: Rows, n: int, rng: np.random.Generator
    ) -> tuple[Rows, NDArray[np.int64]]:
        """Draw n new rows, and say from which rows of the data each was made.

        Parameters
        ----------
        rows, n, rng
            As in :meth:`draw`.

        Returns
        -------
        drawn : Rows
            Of shape (n, d).
        sources : ndarray of shape (n, 2), int
            The row that was picked and its neighbour.

        Raises
        ------
        InvalidInput
            If n is negative.
        """
        if n < 0:
            raise InvalidInput(f"n is {n}.", "Ask for a number of rows.")
        seen, near = profile_of(rows), _neighbours(rows)
        at = rng.integers(len(rows), size=n)
        out, other = rows.values[at], rows.values[near[at]]
        replaced = rng.random(out.shape) < self.p
        first, second = out[:, seen.moved], other[:, seen.moved]
        np.copyto(out, other, where=replaced)
        if seen.moved.size:
            drawn = rng.standard_normal(first.shape)
            drawn *= np.abs(first - second) / self.s
            drawn += second
            redrawn = replaced[:, seen.moved] & ~np.isnan(drawn)
            seen.settle(out, np.where(redrawn, drawn, out[:, seen.moved]))
        return Rows(rows.features, out), np.stack([at, near[at]], axis=1)

    def describe(self) -> str:
        """The distribution in words."""
        return (
            f"rows of the data, each value replaced with probability {self.p:g}: a category by that"
            f" of the nearest row, a number by one drawn around that of the nearest row, with their"
            f" distance over {self.s:g} as standard deviation (MUNGE)"
        )


# As for profiles: methods draw from the same rows many times.
_NEAR: WeakKeyDictionary[Rows, NDArray[np.int64]] = WeakKeyDictionary()


def _neighbours(rows: Rows) -> NDArray[np.int64]:
    """For every row the position of the nearest row that differs from it, or its own."""
    if rows not in _NEAR:
        _NEAR[rows] = _nearest(rows, profile_of(rows))
    return _NEAR[rows]


def _nearest(rows: Rows, seen: Profile) -> NDArray[np.int64]:
    from sklearn.neighbors import NearestNeighbors

    label = identical_rows(rows.values)
    _, first, group = np.unique(label, return_index=True, return_inverse=True)
    if len(first) < 2:
        return np.arange(len(rows))
    points = _points(Rows(rows.features, rows.values[first]), seen)
    # asked about the points themselves, it leaves out each point's own
    found = NearestNeighbors(n_neighbors=1).fit(points).kneighbors(return_distance=False)
    return np.asarray(first[found[:, 0]][group])


def _points(rows: Rows, seen: Profile) -> NDArray[np.float32]:
    """Rows as points whose squared distance adds up over columns as the class says."""
    spread = dict(zip(seen.moved.tolist(), seen.spread.tolist(), strict=True))
    columns: list[NDArray[np.float64]] = []
    for j, feature in enumerate(rows.features.columns):
        x = rows.values[:, j]
        hole = np.isnan(x)
        if feature.kind == "categorical":
            levels = [x == level for level in np.unique(x[~hole])]
            levels += [hole] if hole.any() else []
            # two levels that differ are sqrt(2) apart
            columns += [level / np.sqrt(2.0) for level in levels]
            continue
        if j in spread:
            scale = spread[j] if spread[j] > 0 else 1.0
        else:  # constant, or two values, which differ by 1 like categories
            scale = float(np.ptp(x[~hole])) or 1.0 if (~hole).any() else 1.0
        middle = float(np.mean(x[~hole])) if (~hole).any() else 0.0
        columns.append(np.where(hole, 0.0, (x - middle) / scale))
        if hole.any():
            columns.append(hole.astype(np.float64))
    return np.stack(columns, axis=1).astype(np.float32)
