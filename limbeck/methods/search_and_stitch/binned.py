"""Labelled rows in bins: what one split would cost, for all literals in one pass over the rows."""

from __future__ import annotations

from copy import copy
from typing import Self

import numpy as np
from numpy.typing import NDArray

from limbeck.methods.search_and_stitch.costs import Cost
from limbeck.methods.search_and_stitch.histograms import Index, LiteralHistograms
from limbeck.methods.search_and_stitch.literals import Literals

__all__ = ["BinnedRows"]

_LEVELS = 4
_MOST_KEPT = 1_300_000  # counts of one leaf of a tree


class BinnedRows:
    """Labelled rows in the form in which single splits are counted fast.

    Parameters
    ----------
    literals : Literals
        The candidate tests.
    values : ndarray of shape (n, d)
        Encoded rows.
    stats : ndarray of shape (q, n), float32
        Statistics of every row, see :mod:`limbeck.methods.search_and_stitch.costs`.
    """

    def __init__(
        self, literals: Literals, values: NDArray[np.float64], stats: NDArray[np.float32]
    ) -> None:
        self.literals = literals
        self.bins = LiteralHistograms(literals, values)
        self._count(stats)

    def _count(self, stats: NDArray[np.float32]) -> None:
        """Keep the statistics; of hard classes every row counts in one only."""
        self.stats = stats
        hard = not ((stats != 0).sum(axis=0) > 1).any() and not (stats < 0).any()
        self._label = stats.argmax(axis=0) if hard else None
        self._amount = stats.max(axis=0).astype(np.float64) if hard else None
        self._weights: NDArray[np.float64] | None = None
        if self._amount is not None:
            levels, level = np.unique(self._amount, return_inverse=True)
            if len(levels) <= _LEVELS:  # few different weights: counted, and weighed afterwards
                self._weights, self._level = levels, level

    def with_rows(self, values: NDArray[np.float64], stats: NDArray[np.float32]) -> Self:
        """The same literals on more rows, which come after these.

        Parameters
        ----------
        values : ndarray of shape (m, d)
            The further rows.
        stats : ndarray of shape (q, n + m), float32
            The statistics of all.
        """
        out = copy(self)
        out.bins = self.bins.with_rows(values)
        out._count(stats)
        return out

    def part_of(self, rows: Index, stats: NDArray[np.float32]) -> Self:
        """Some of the rows, with statistics of their own, in the same bins.

        Parameters
        ----------
        rows : ndarray of shape (m,), int
            Positions of rows.
        stats : ndarray of shape (q, m), float32
            Their statistics.
        """
        out = copy(self)
        out.bins = self.bins.take(rows)
        out._count(stats)
        return out

    def __len__(self) -> int:
        return int(self.stats.shape[1])

    def total(self, rows: Index) -> NDArray[np.float64]:
        """Summed statistics (q,) of some rows."""
        if self._label is not None and self._amount is not None:
            found = np.bincount(self._label[rows], self._amount[rows], len(self.stats))
            return np.asarray(found, dtype=np.float64)
        return np.asarray(self.stats[:, rows].sum(axis=1, dtype=np.float64))

    def tally(self, rows: Index) -> NDArray[np.int64] | None:
        """How many rows of each class and weight are in every bin, shape (classes x weights, bins).

        None where these would be sums of many weights, or too many to keep.

        Parameters
        ----------
        rows : ndarray of int
            Positions in the sample.
        """
        if self._label is None or self._weights is None:
            return None
        levels = len(self._weights)
        kinds = len(self.stats) * levels
        if kinds * self.bins.count > _MOST_KEPT:
            return None
        return self.bins.counts(rows, self._label[rows] * levels + self._level[rows], kinds)

    def inside(
        self, rows: Index, tally: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
        """Summed statistics where each literal is true, of all rows, and which literals split.

        Shapes are (q', literals), (q',) and (literals,). Of hard classes those that no row has
        are left out.

        Parameters
        ----------
        rows : ndarray of int
            Positions in the sample.
        tally : ndarray, optional
            What `tally` says of these rows.
        """
        bins = self._in_bins(rows) if tally is None else self._weighed(tally)
        whole = bins[:, : self.bins.width].sum(axis=1)  # every row is in one bin of each column
        return self.bins.inside(bins), whole, self.bins.splits(bins)

    def every_inside(
        self, rows: Index
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
        """As :meth:`inside`, with every statistic, also those that no row counts in.

        Parameters
        ----------
        rows : ndarray of int
            Positions in the sample.
        """
        bins = np.stack([self.bins.in_bins(rows, s.take(rows))[0] for s in self.stats])
        whole = bins[:, : self.bins.width].sum(axis=1)
        return self.bins.inside(bins), whole, self.bins.splits(bins)

    def _in_bins(self, rows: Index) -> NDArray[np.float64]:
        if self._label is None or self._amount is None:
            return np.stack([self.bins.in_bins(rows, s.take(rows))[0] for s in self.stats])
        known = np.zeros(len(self.stats), dtype=np.bool_)
        known[self._label[rows]] = True
        label, k = (np.cumsum(known) - 1)[self._label[rows]], int(known.sum())
        if self._weights is None:
            return self.bins.in_bins(rows, self._amount[rows], label, k)
        levels = len(self._weights)
        found = self.bins.counts(rows, label * levels + self._level[rows], k * levels)
        return np.asarray(np.einsum("kwb,w->kb", found.reshape(k, levels, -1), self._weights))

    def _weighed(self, tally: NDArray[np.int64]) -> NDArray[np.float64]:
        """Summed weights in bins of the classes that occur, from a tally."""
        assert self._weights is not None  # noqa: S101
        found = tally.reshape(len(self.stats), len(self._weights), -1)
        known = found[:, :, : self.bins.width].any(axis=(1, 2))
        return np.asarray(np.einsum("kwb,w->kb", found[known], self._weights))

    def after_one(
        self, rows: Index, cost: Cost, tally: NDArray[np.int64] | None = None
    ) -> NDArray[np.float64]:
        """Cost after one split, by literal; infinite where nothing is split.

        Parameters
        ----------
        rows : ndarray of int
            Positions in the sample.
        cost : callable
            Cost of the statistics of a leaf.
        tally : ndarray, optional
            What `tally` says of these rows.
        """
        out = np.full(len(self.literals), np.inf)
        if not len(out):
            return out
        left, whole, splits = self.inside(rows, tally)
        left = left[:, splits]
        out[splits] = cost(left) + cost(whole[:, None] - left)
        return out
