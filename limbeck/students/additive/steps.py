"""What an additive student is a sum of: steps of numbers, levels of categories, missing values.

Every such term is a column of zeros and ones, so that least squares on any number of rows needs
only how often bins meet; the rows are read once. A pair of columns adds products of their steps.

Shapes: n rows, g groups (a column, or a pair of them), p terms of all groups, k outputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from limbeck.core.column import Feature
from limbeck.core.columns import Features
from limbeck.students.additive.bins import Bins

__all__ = ["BinMoments", "StepGroup", "StepTerms"]

Vector = NDArray[np.float64]
Codes = NDArray[np.int64]
_CUTS, _LEVELS = 7, 8  # thresholds and levels of a column that is one of a pair


@dataclass(frozen=True, eq=False)
class StepGroup:
    """The terms of one column, or of a pair of columns.

    Parameters
    ----------
    columns : tuple of int
        The one or two columns.
    maps : tuple of ndarray of int
        For each of them, from its bins to those that the terms tell apart.
    table : ndarray of shape (cells, terms)
        1 where a cell of these has the term; those of a pair row by row.
    prices : ndarray of shape (terms,)
        How many numbers name the term, its weight not counted: 1 for a threshold, 0 for a level,
        2 for a product.
    rises : ndarray of shape (terms,), bool
        Whether the weight is a step upwards along the column; False for levels and missing values.
    """

    columns: tuple[int, ...]
    maps: tuple[Codes, ...]
    table: Vector
    prices: Vector
    rises: NDArray[np.bool_]

    def cell(self, codes: Codes) -> Codes:
        """The cell of each binned row (n, d), shape (n,)."""
        at = self.maps[0][codes[:, self.columns[0]]]
        if len(self.columns) == 2:
            at = at * (int(self.maps[1].max()) + 1) + self.maps[1][codes[:, self.columns[1]]]
        return at

    def over_bins(self, cells: Vector) -> Vector:
        """Contributions of cells (cells, k) as a table over all bins, (bins, k) or (a, b, k)."""
        if len(self.columns) == 1:
            return cells[self.maps[0]]
        first, second = self.maps
        wide = cells.reshape(int(first.max()) + 1, int(second.max()) + 1, -1)
        return wide[first][:, second]


def _single(j: int, column: Feature, count: int) -> StepGroup:
    """StepTerms between the bins of a number, indicators of levels; missing values come last."""
    every = (np.arange(count),)
    if column.kind == "categorical":
        no = np.zeros(count, dtype=bool)
        return StepGroup((j,), every, np.eye(count), np.zeros(count), no)
    table = np.zeros((count, count - 1))
    table[:-1, :-1] = np.tril(np.ones((count - 1, count - 2)), -1)  # a bin has the steps below it
    table[-1, -1] = 1.0
    prices = np.full(count - 1, 0.0 if column.kind == "boolean" else 1.0)
    rises = np.ones(count - 1, dtype=bool)
    prices[-1], rises[-1] = 0.0, False
    return StepGroup((j,), every, table, prices, rises)


def _product(a: StepGroup, b: StepGroup) -> StepGroup:
    """All products of a term of one column and one of another, both on few bins."""
    (first, one), (second, two) = _coarse(a), _coarse(b)
    table: Vector = np.kron(one, two).astype(np.float64)
    none = np.zeros(table.shape[1], dtype=bool)
    return StepGroup(
        a.columns + b.columns, (first, second), table, np.full(table.shape[1], 2.0), none
    )


def _coarse(group: StepGroup) -> tuple[Codes, Vector]:
    """From bins to few bins, and the terms of these: every so manyth step, or the first levels."""
    count = len(group.table)
    if not group.rises.any() and count > 2:  # a category, whose levels come in bins of their own
        kept = min(count, _LEVELS)
        return np.minimum(np.arange(count), kept), np.eye(kept + (kept < count))[:, :kept]
    steps = count - 2
    cuts = np.unique(np.linspace(0, steps - 1, min(steps, _CUTS)).round().astype(np.int64))
    below = np.searchsorted(cuts, np.arange(count - 1), side="left")
    table = np.zeros((len(cuts) + 2, len(cuts)))
    table[:-1] = np.tril(np.ones((len(cuts) + 1, len(cuts))), -1)
    return np.append(below, len(cuts) + 1), table


@dataclass(frozen=True, eq=False)
class StepTerms:
    """All terms of a student on given bins.

    Parameters
    ----------
    groups : tuple of StepGroup
        Columns first, then pairs.
    """

    groups: tuple[StepGroup, ...]

    @classmethod
    def of(cls, bins: Bins, features: Features, pairs: Sequence[tuple[int, ...]] = ()) -> StepTerms:
        """The steps of all columns, and the products of those of some pairs.

        Parameters
        ----------
        bins : Bins
            How the columns are cut.
        features : Features
            The columns.
        pairs : sequence of tuple of int
            Pairs of columns.
        """
        counts = bins.counts
        single = [_single(j, c, counts[j]) for j, c in enumerate(features.columns)]
        return cls((*single, *(_product(single[a], single[b]) for a, b in pairs)))

    @property
    def group(self) -> Codes:
        """The group of each term, shape (p,)."""
        return np.repeat(np.arange(len(self.groups)), [len(g.prices) for g in self.groups])

    @property
    def prices(self) -> Vector:
        """The prices of all terms, shape (p,)."""
        return np.concatenate([g.prices for g in self.groups])

    def cells(self, codes: Codes) -> list[Codes]:
        """Where each row lies in the table of each group: g arrays of shape (n,).

        Parameters
        ----------
        codes : ndarray of int, shape (n, d)
            Binned rows.
        """
        return [g.cell(codes) for g in self.groups]

    def moments(self, cells: list[Codes], target: Vector, weight: Vector) -> BinMoments:
        """Weighted sums over rows, from which least squares on any of the terms follow.

        Parameters
        ----------
        cells : list of ndarray
            What :meth:`cells` gave.
        target : ndarray of shape (n, k)
            What is fitted.
        weight : ndarray of shape (n,)
            Weights of the rows.
        """
        sizes = [len(g.prices) for g in self.groups]
        starts = np.concatenate([[0], np.cumsum(sizes)])
        p, k = int(starts[-1]), target.shape[1]
        gram, cross, sums = np.zeros((p, p)), np.zeros((p, k)), np.zeros(p)
        for a, first in enumerate(self.groups):
            rows, one = slice(starts[a], starts[a + 1]), first.table
            mass = np.bincount(cells[a], weight, len(one))
            sums[rows] = one.T @ mass
            gram[rows, rows] = one.T @ (one * mass[:, None])
            for c in range(k):
                cross[rows, c] = one.T @ np.bincount(cells[a], weight * target[:, c], len(one))
            for b in range(a + 1, len(self.groups)):
                other = self.groups[b].table
                at = cells[a] * len(other) + cells[b]
                both = np.bincount(at, weight, len(one) * len(other)).reshape(len(one), -1)
                columns = slice(starts[b], starts[b + 1])
                gram[rows, columns] = one.T @ both @ other
                gram[columns, rows] = gram[rows, columns].T
        return BinMoments(gram, cross, sums, weight @ target, float(weight.sum()),
                          float(weight @ (target**2).sum(axis=1)))  # fmt: skip

    def add_up(self, theta: Vector, intercept: Vector, cells: list[Codes]) -> Vector:
        """Scores (n, k) of rows by weights (p, k) and intercepts (k,).

        Parameters
        ----------
        theta : ndarray of shape (p, k)
            Weights of the terms.
        intercept : ndarray of shape (k,)
            What is added.
        cells : list of ndarray
            What :meth:`cells` gave.
        """
        total = np.tile(intercept, (len(cells[0]), 1))
        for table, at in zip(self.contributions(theta), cells, strict=True):
            if table.any():
                total += table[at]
        return total

    def pull(self, cells: list[Codes], rest: Vector) -> Vector:
        """Sums of residuals (n, k) over the rows that have each term, (p, k).

        Parameters
        ----------
        cells : list of ndarray
            What :meth:`cells` gave.
        rest : ndarray of shape (n, k)
            Weighted residuals.
        """
        found = []
        for g, at in zip(self.groups, cells, strict=True):
            sums = [np.bincount(at, r, len(g.table)) for r in rest.T]
            found.append(g.table.T @ np.stack(sums, axis=1))
        return np.concatenate(found)

    def contributions(self, theta: Vector) -> list[Vector]:
        """What the cells of each group add, g arrays (cells, k), for weights (p, k) of terms."""
        ends = np.cumsum([len(g.prices) for g in self.groups])[:-1]
        return [g.table @ t for g, t in zip(self.groups, np.split(theta, ends), strict=True)]


@dataclass(frozen=True, eq=False)
class BinMoments:
    """Weighted sums over rows: of products of terms (p, p), of terms and targets (p, k), and so on.

    ``sums`` (p,) and ``totals`` (k,) are those of terms and targets, ``weight`` the whole weight,
    ``squares`` the sum of squared targets.
    """

    gram: Vector
    cross: Vector
    sums: Vector
    totals: Vector
    weight: float
    squares: float

    def __add__(self, other: BinMoments) -> BinMoments:
        return self.plus(other, 1.0)

    def __sub__(self, other: BinMoments) -> BinMoments:
        return self.plus(other, -1.0)

    def plus(self, other: BinMoments, times: float) -> BinMoments:
        """These, and those of other rows so many times.

        Parameters
        ----------
        other : BinMoments
            Of other rows.
        times : float
            How much each of them counts.
        """
        return BinMoments(
            self.gram + times * other.gram,
            self.cross + times * other.cross,
            self.sums + times * other.sums,
            self.totals + times * other.totals,
            self.weight + times * other.weight,
            self.squares + times * other.squares,
        )

    def centred(self) -> tuple[Vector, Vector]:
        """Products per unit of weight once means are taken off: (p, p) and (p, k)."""
        mean = self.sums / self.weight
        gram = self.gram / self.weight - np.outer(mean, mean)
        return gram, self.cross / self.weight - np.outer(mean, self.totals / self.weight)

    def intercept(self, theta: Vector) -> Vector:
        """The intercept (k,) that goes with weights (p, k) of the terms."""
        return np.asarray((self.totals - self.sums @ theta) / self.weight)
