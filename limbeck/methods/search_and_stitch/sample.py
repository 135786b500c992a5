"""Rows with the teacher's answers, and what one or two splits would gain on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.methods.search_and_stitch.costs import Cost
from limbeck.methods.search_and_stitch.literals import Literals

__all__ = ["Lookahead", "Sample"]

Index = NDArray[np.int64]
# A lookahead multiplies literals x rows x literals once a statistic. It works on a coarse grid
# of literals, and on a share of the rows where that would still be more operations than this.
_MOST_OPERATIONS = 6e9
_FEWEST_ROWS = 4000
_COARSE = 320


@dataclass(frozen=True)
class Lookahead:
    """Best cost after a root literal and one more split on each side, by root literal.

    ``total`` has shape (literals,), infinite off the coarse grid and where nothing is split;
    ``left`` and ``right`` hold the literal of the second split, or -1 where a leaf is as good.
    """

    total: NDArray[np.float64]
    left: Index
    right: Index


class Sample:
    """Labelled rows in the form in which splits are counted fast.

    Parameters
    ----------
    literals : Literals
        The candidate tests.
    values : ndarray of shape (n, d)
        Encoded rows.
    stats : ndarray of shape (q, n), float32
        Statistics of every row, see :mod:`limbeck.methods.search_and_stitch.costs`.
    weight : ndarray of shape (n,), optional
        The weights in ``stats``; by default all the same.
    """

    def __init__(
        self,
        literals: Literals,
        values: NDArray[np.float64],
        stats: NDArray[np.float32],
        weight: NDArray[np.float64] | None = None,
    ) -> None:
        self.literals = literals
        self.values = values
        self.stats = stats
        self.weight = np.ones(len(values)) if weight is None else weight
        self.truth = literals.truth(values)
        self.coarse = _coarse(literals.feature)

    def __len__(self) -> int:
        return int(self.stats.shape[1])

    def total(self, rows: Index) -> NDArray[np.float64]:
        """Summed statistics (q,) of some rows."""
        return np.asarray(self.stats[:, rows].sum(axis=1, dtype=np.float64))

    def after_one(self, rows: Index, cost: Cost) -> NDArray[np.float64]:
        """Cost after one split, by literal; infinite where nothing is split.

        Parameters
        ----------
        rows : ndarray of int
            Positions in the sample.
        cost : callable
            Cost of the statistics of a leaf.
        """
        inside = self.truth.take(rows, axis=1).astype(np.float32)
        stats = np.vstack([self.stats.take(rows, axis=1), np.ones(len(rows), dtype=np.float32)])
        sums = (stats @ inside.T).astype(np.float64)  # the last row counts
        left, count = sums[:-1], sums[-1]
        right = stats[:-1].sum(axis=1, dtype=np.float64)[:, None] - left
        return np.where((count == 0) | (count == len(rows)), np.inf, cost(left) + cost(right))

    def after_two(self, rows: Index, cost: Cost, rng: np.random.Generator) -> Lookahead:
        """Cost of the best tree of depth two, by its root literal, exact over all pairs.

        One matrix product per statistic serves all pairs of literals: with truth T (l, n), the
        statistics of v-and-w are (T * s) T^t. On very many rows a random part stands for all,
        see :meth:`part`.

        Parameters
        ----------
        rows : ndarray of int
            Positions in the sample.
        cost : callable
            Cost of the statistics of a leaf.
        rng : numpy Generator
            Draws the part of very many rows.
        """
        at = self.coarse
        most = max(int(_MOST_OPERATIONS / (2 * len(at) ** 2 * len(self.stats))), _FEWEST_ROWS)
        rows, scale = self.part(rows, most, rng)
        stats = self.stats[:, rows] * scale
        T = self.truth[np.ix_(at, rows)].astype(np.float32)
        both = np.stack([_pairs(T, s) for s in stats])  # (q, v, w): v and w
        own = np.einsum("qvv->qv", both)
        whole = stats.sum(axis=1, dtype=np.float64)
        left = _best_second(both, own[:, :, None], cost)
        other = own[:, None, :] - both  # not v, and w
        right = _best_second(other, (whole[:, None] - own)[:, :, None], cost)
        count = T.sum(axis=1)
        splits = (count > 0) & (count < len(rows))
        total = np.full(len(self.literals), np.inf)
        total[at] = np.where(splits, left[0] + right[0], np.inf)
        seconds = np.full((2, len(self.literals)), -1, dtype=np.int64)
        for side, (_, second) in enumerate((left, right)):
            seconds[side, at] = np.where(second >= 0, at[second], -1)
        return Lookahead(total, seconds[0], seconds[1])

    def part(
        self, rows: Index, most: int, rng: np.random.Generator
    ) -> tuple[Index, NDArray[np.float32]]:
        """About ``most`` of some rows, and the factors by which they stand for all.

        Heavy rows are all kept, light ones with a probability in proportion to their weight and
        scaled up by its inverse (Horvitz and Thompson 1952), so that sums keep their expectation.

        Parameters
        ----------
        rows : ndarray of int
            Positions in the sample.
        most : int
            About how many to keep.
        rng : numpy Generator
            Draws them.
        """
        if len(rows) <= most:
            return rows, np.ones(len(rows), dtype=np.float32)
        weight = self.weight[rows]
        chance = np.minimum(1.0, weight * (most / weight.sum()))
        for _ in range(3):  # what heavy rows leave over goes to the light ones
            light = chance < 1.0
            left = most - int((~light).sum())
            chance[light] = np.minimum(1.0, weight[light] * (left / weight[light].sum()))
        kept = rng.random(len(rows)) < chance
        return rows[kept], (1.0 / chance[kept]).astype(np.float32)


def _pairs(T: NDArray[np.float32], s: NDArray[np.float32]) -> NDArray[np.float32]:
    """The sums of a statistic (n,) over the rows where both of two literals hold, (l, l).

    Only rows whose statistic is not zero are looked at: for hard classes each row once, not once
    a class. A product with itself takes BLAS half the work.
    """
    inside = np.flatnonzero(s)
    if len(inside) < len(s):
        T, s = T.take(inside, axis=1), s[inside]
    if (s >= 0).all():
        T = T * np.sqrt(s)
        return np.asarray(T @ T.T)
    return np.asarray((T * s) @ T.T)


def _best_second(
    inside: NDArray[Any], whole: NDArray[Any], cost: Cost
) -> tuple[NDArray[np.float64], Index]:
    """For every root, the cheapest second literal (or none, -1) and its cost."""
    pairs = cost(inside) + cost(whole - inside)
    second = pairs.argmin(axis=1)
    best = pairs[np.arange(len(pairs)), second]
    leaf = cost(whole[:, :, 0])
    worth = best < leaf * (1 - 1e-6)
    return np.where(worth, best, leaf).astype(np.float64), np.where(worth, second, -1)


def _coarse(feature: Index) -> Index:
    """Evenly spaced literals of every feature, about 320 in all, at least three a feature."""
    names, first, count = np.unique(feature, return_index=True, return_counts=True)
    each = max(3, _COARSE // max(len(names), 1))
    parts = [
        start + np.unique(np.linspace(0, n - 1, min(n, each)).round().astype(np.int64))
        for start, n in zip(first, count, strict=True)
    ]
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)
