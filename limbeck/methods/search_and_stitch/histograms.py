"""Histograms: what rows sum up to on the true side of every literal, in one pass over the rows.

The literals of a column cut it into bins. A literal is true in a run of neighbouring bins (and,
where it says so, for missing values), so that sums over the rows where it is true are differences
of cumulated sums over bins. That takes a pass over rows x columns, not over rows x literals, as in
histogram-based gradient boosting.
"""

from __future__ import annotations

from copy import copy

import numpy as np
from numpy.typing import NDArray

from limbeck.methods.search_and_stitch.literals import Literals
from limbeck.students.tree.nodes import EQ, LE, MISSING

__all__ = ["LiteralHistograms"]

Index = NDArray[np.int64]
_AT_ONCE = 100_000  # entries of a block of rows: these stay in the cache


class LiteralHistograms:
    """The bins of all columns, and for every literal the bins in which it is true.

    Parameters
    ----------
    literals : Literals
        Of l tests.
    values : ndarray of shape (n, d)
        Encoded rows.

    Attributes
    ----------
    codes : ndarray of shape (n, c), int32
        The bin of every row in every column that has literals; bins are numbered through.
    """

    def __init__(self, literals: Literals, values: NDArray[np.float64]) -> None:
        groups: dict[tuple[int, bool], list[int]] = {}
        kinds: dict[int, bool] = {}
        for i, item in enumerate(literals.items):
            if item.op != MISSING:
                kinds.setdefault(item.feature, item.op == EQ)
                groups.setdefault((item.feature, item.op == EQ), []).append(i)
        for i, item in enumerate(literals.items):
            if item.op == MISSING:
                groups.setdefault((item.feature, kinds.get(item.feature, False)), []).append(i)
        count = len(literals)
        self._column = np.zeros(count, np.int64)
        self._low, self._high = np.zeros(count, np.int64), np.zeros(count, np.int64)
        self._missing = np.zeros(count, np.int64)
        self._with_missing = np.zeros(count, np.bool_)
        self._cuts: list[tuple[int, bool, NDArray[np.float64]]] = []
        first, starts = 0, []
        for c, ((feature, equal), members) in enumerate(groups.items()):
            items = [literals.items[i] for i in members]
            cuts = np.unique([t.threshold for t in items if t.op != MISSING])
            self._cuts.append((feature, equal, cuts))
            starts.append(first)
            hole = first + len(cuts) + 1
            op = np.array([t.op for t in items])
            at = first + np.searchsorted(cuts, [t.threshold for t in items])
            missing = op == MISSING
            self._missing[members], self._column[members] = hole, c
            self._low[members] = np.where(missing, hole, np.where(op == LE, first, at))
            self._high[members] = np.where(missing, hole, at) + 1
            self._with_missing[members] = ~missing & np.array([t.missing_left for t in items])
            first = hole + 1
        self._bins, self._first = first, np.array(starts, dtype=np.int64)
        self.codes = self._coded(values)

    def _coded(self, values: NDArray[np.float64]) -> NDArray[np.int32]:
        """The bins of encoded rows (n, d)."""
        codes = np.empty((len(values), len(self._cuts)), dtype=np.int32)
        for c, (feature, equal, cuts) in enumerate(self._cuts):
            x = values[:, feature]
            code = np.searchsorted(cuts, x, side="left")
            if equal and len(cuts):
                known = cuts[np.minimum(code, len(cuts) - 1)] == x
                code = np.where(known, code, len(cuts))
            code[np.isnan(x)] = len(cuts) + 1
            codes[:, c] = code + self._first[c]
        return codes

    def with_rows(self, values: NDArray[np.float64]) -> LiteralHistograms:
        """The same bins with more rows (m, d) after these."""
        out = copy(self)
        out.codes = np.concatenate([self.codes, self._coded(values)])
        return out

    def only(self, literals: Index) -> LiteralHistograms:
        """The same bins, for some of the literals."""
        out = copy(self)
        for name in ("_low", "_high", "_missing", "_column", "_with_missing"):
            setattr(out, name, getattr(self, name)[literals])
        return out

    def take(self, rows: Index) -> LiteralHistograms:
        """The same bins, for some of the rows."""
        out = copy(self)
        out.codes = self.codes.take(rows, axis=0)
        return out

    def true(self, literal: int, rows: Index) -> NDArray[np.bool_]:
        """Where a literal is true, of the shape of ``rows``.

        Parameters
        ----------
        literal : int
            The test.
        rows : ndarray of int
            Positions of rows.
        """
        at = self.codes[rows, self._column[literal]]
        told = (at >= self._low[literal]) & (at < self._high[literal])
        if self._with_missing[literal]:
            told |= at == self._missing[literal]
        return np.asarray(told)

    def in_bins(
        self, rows: Index, weight: NDArray[np.floating], label: Index | None = None, k: int = 1
    ) -> NDArray[np.float64]:
        """Summed weights of the rows in every bin, by label: shape (k, bins).

        Parameters
        ----------
        rows : ndarray of shape (m,), int
            Positions of rows.
        weight : ndarray of shape (m,)
            What is summed.
        label : ndarray of shape (m,), int, optional
            The kind of each row, 0 ... k - 1; by default all of one.
        k : int
            The number of labels.
        """
        out = np.zeros(self._bins * k)
        for part in self._blocks(len(rows), len(out)):
            at = self.codes.take(rows[part], axis=0)
            if label is not None:
                at = at * np.int32(k) + label[part, None].astype(np.int32)
            each = np.repeat(np.asarray(weight[part], dtype=np.float64), at.shape[1])
            out += np.bincount(at.ravel(), each, len(out))
        return out.reshape(self._bins, k).T

    def counts(self, rows: Index, label: Index, k: int) -> NDArray[np.int64]:
        """How many rows of each label are in every bin, shape (k, bins).

        Parameters
        ----------
        rows, label, k
            As for :meth:`in_bins`.
        """
        out = np.zeros(self._bins * k, dtype=np.int64)
        for part in self._blocks(len(rows), len(out)):
            at = self.codes.take(rows[part], axis=0) * np.int32(k)
            at += label[part, None].astype(np.int32)
            out += np.bincount(at.ravel(), minlength=len(out))
        return out.reshape(self._bins, k).T

    def inside(self, bins: NDArray[np.number]) -> NDArray[np.float64]:
        """From sums in bins (k, bins) to sums over the true side of literals (k, literals)."""
        so_far = np.zeros((len(bins), self._bins + 1), dtype=bins.dtype)
        np.cumsum(bins, axis=1, out=so_far[:, 1:])
        out = so_far.take(self._high, axis=1) - so_far.take(self._low, axis=1)
        holes = self._with_missing
        if holes.any():
            out[:, holes] += bins[:, self._missing[holes]]
        return np.asarray(out)

    def splits(self, bins: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which literals are true of some rows and false of others, from what is in the bins.

        Parameters
        ----------
        bins : ndarray of shape (k, bins)
            Sums that are zero in a bin only where it holds no row.
        """
        held = (bins != 0).any(axis=0)
        inside = self.inside(held[None].astype(np.int64))[0]
        first = self._first
        columns = np.add.reduceat(held.astype(np.int64), first) if len(first) else first
        return np.asarray((inside > 0) & (inside < columns[self._column]))

    @property
    def count(self) -> int:
        """The number of bins of all columns."""
        return self._bins

    @property
    def width(self) -> int:
        """The number of bins of the first column; every row is in one of them."""
        return int(self._first[1]) if len(self._first) > 1 else self._bins

    def _blocks(self, n: int, sums: int) -> list[slice]:
        step = max(max(_AT_ONCE, 4 * sums) // max(self.codes.shape[1], 1), 1)
        return [slice(start, start + step) for start in range(0, n, step)]
