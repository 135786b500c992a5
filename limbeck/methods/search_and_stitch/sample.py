"""Rows with the teacher's answers, and what one or two splits would gain on them."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.methods.search_and_stitch.binned import BinnedRows
from limbeck.methods.search_and_stitch.costs import Cost
from limbeck.methods.search_and_stitch.histograms import Index
from limbeck.methods.search_and_stitch.literals import Literals

__all__ = ["Index", "Lookahead", "Sample"]

# A lookahead multiplies literals x rows x literals once a statistic. It works on a coarse grid
# of literals, on fewer first literals where there are many, and on a share of the rows where that
# would still be more operations than this.
_MOST_OPERATIONS = 2e8
_FEWEST_ROWS = 2500
_COARSE = 192
# Of the literals that this leaves out, those that split best with one of the best below them.
_PARTNERS, _FEWEST_PARTNERS, _PAIRED = 32, 8, 16
_PAIRED_ROWS, _PAIRED_CELLS = 1000, 1_000_000  # rows, and rows times literals, to judge that by
_MOST_PAIRS = 2e6  # statistics of pairs
_BLOCK = 250_000  # of them that stay in the cache


@dataclass(frozen=True)
class Lookahead:
    """Best cost after a root literal and one more split on each side, by root literal.

    ``total`` has shape (literals,), infinite off the coarse grid and where nothing is split;
    ``left`` and ``right`` hold the literal of the second split, or -1 where a leaf is as good.
    """

    total: NDArray[np.float64]
    left: Index
    right: Index

    @classmethod
    def nothing(cls, literals: int) -> Lookahead:
        """Of literals of which none splits."""
        none = np.full(literals, -1, dtype=np.int64)
        return cls(np.full(literals, np.inf), none, none.copy())


class Sample(BinnedRows):
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
        super().__init__(literals, values, stats)
        self.values = values
        self.weight = np.ones(len(values)) if weight is None else weight
        self.own, self.min_rows = len(values), 1
        self.truth = literals.truth(values)
        self.coarse = _coarse(literals.feature)
        self._coarse_truth = np.ascontiguousarray(self.truth[self.coarse].T)

    def only(self, literals: Index) -> Sample:
        """The same rows with some of the literals.

        Parameters
        ----------
        literals : ndarray of int, sorted
            Positions of literals.
        """
        out = copy(self)
        out.literals = Literals(self.literals.items[i] for i in literals)
        out.bins = self.bins.only(literals)
        out.truth = self.truth.take(literals, axis=0)
        out.coarse = _coarse(out.literals.feature)
        out._coarse_truth = np.ascontiguousarray(out.truth[out.coarse].T)
        return out

    def part_with(
        self, rows: Index, stats: NDArray[np.float32], weight: NDArray[np.float64]
    ) -> Sample:
        """Some of the rows, with statistics and weights of their own, and the same literals.

        Parameters
        ----------
        rows : ndarray of shape (m,), int
            Positions of rows.
        stats : ndarray of shape (q, m), float32
            Their statistics.
        weight : ndarray of shape (m,)
            Their weights.
        """
        out = self.part_of(rows, stats)
        out.values, out.weight = self.values[rows], weight
        out.truth = self.truth.take(rows, axis=1)
        out._coarse_truth = self._coarse_truth.take(rows, axis=0)
        return out

    def leaving(self, own: int, min_rows: int) -> Sample:
        """The same, where every split must leave enough of the first rows on both sides.

        Parameters
        ----------
        own : int
            How many of the rows, the first ones, are counted.
        min_rows : int
            The fewest of them on a side.
        """
        out = copy(self)
        out.own, out.min_rows = own, min_rows
        return out

    def after_one(
        self, rows: Index, cost: Cost, tally: NDArray[np.int64] | None = None
    ) -> NDArray[np.float64]:
        """As `BinnedRows.after_one`; infinite where a split leaves too few rows on a side.

        Parameters
        ----------
        rows, cost, tally
            As there.
        """
        out = super().after_one(rows, cost, tally)
        return out if self.min_rows == 1 else np.where(self._too_few(rows), np.inf, out)

    def _too_few(self, rows: Index) -> NDArray[np.bool_]:
        """Which literals leave fewer than ``min_rows`` of the first rows on a side."""
        mine = rows[rows < self.own]
        inside = self.bins.inside(self.bins.counts(mine, np.zeros(len(mine), np.int64), 1))[0]
        return np.asarray(np.minimum(inside, len(mine) - inside) < self.min_rows)

    def after_two(
        self, rows: Index, costs: Sequence[Cost], rng: np.random.Generator
    ) -> list[Lookahead]:
        """Cost of the best tree of depth two, by its root literal, over all pairs; for each cost.

        One matrix product per statistic serves all pairs of literals: with truth T (l, n), the
        statistics of v-and-w are (T * s) T^t. On very many rows a random part stands for all,
        see :meth:`part`. Where there are many literals, or many statistics, those that split best
        by themselves (by the first cost) are looked at, and some that split poorly by themselves
        but well with one of the best below: the first of two splits may gain nothing.

        Parameters
        ----------
        rows : ndarray of int
            Positions in the sample.
        costs : sequence of callable
            Costs of the statistics of a leaf.
        rng : numpy Generator
            Draws the part of very many rows.
        """
        looks = [Lookahead.nothing(len(self.literals)) for _ in costs]
        few = None if self.min_rows == 1 else self._too_few(rows)[self.coarse]
        kept = max(min(len(self.coarse), _COARSE), 1)
        rows, scale = self.part(rows, max(int(_MOST_OPERATIONS / (2 * kept**2)), _FEWEST_ROWS), rng)
        order = self._by_label(rows)
        rows, scale = rows[order], scale[order]
        truth = self._coarse_truth.take(rows, axis=0)
        count = np.count_nonzero(truth, axis=0)
        inside = np.flatnonzero((count > 0) & (count < len(rows)))
        if few is not None:
            inside = inside[~few[inside]]
        if not len(inside):
            return looks
        alone = None
        if len(inside) > _COARSE:
            alone = self.after_one(rows, costs[0])[self.coarse[inside]]
            ranked = np.argsort(alone, kind="stable")
            with_partner = self._with_partner(truth, inside[ranked], rows, scale, order, costs[0])
            best = np.sort(np.concatenate([ranked[:_COARSE], ranked[_COARSE:][with_partner]]))
            inside, alone = inside[best], alone[best]
        at = self.coarse[inside]
        T = (truth if len(inside) == truth.shape[1] else truth.take(inside, axis=1)).astype(
            np.float32
        )
        parts = self._by_statistic(rows, scale)
        first = max(int(_MOST_PAIRS / (len(at) * len(parts))), 16)
        roots = np.arange(len(at))
        if len(at) > first:
            alone = self.after_one(rows, costs[0])[at] if alone is None else alone
            roots = np.sort(np.argsort(alone, kind="stable")[:first])
        both, own, whole, mirrored = _pairs(T, roots, parts)
        for look, cost in zip(looks, costs, strict=True):
            total, left, right = _two_sides(both, own, own[:, roots], whole, cost, mirrored)
            look.total[at[roots]] = total
            look.left[at[roots]] = np.where(left >= 0, at[left], -1)
            look.right[at[roots]] = np.where(right >= 0, at[right], -1)
        return looks

    def _with_partner(
        self,
        truth: NDArray[np.bool_],
        ranked: Index,
        rows: Index,
        scale: NDArray[np.float32],
        place: Index,
        cost: Cost,
    ) -> Index:
        """Of the literals after the first `_COARSE`, which split best with a partner below.

        Judged on rows in evenly spaced places where there are many; partners are the best few.
        """
        others = len(ranked) - _COARSE
        most = min(_PAIRED_ROWS, _PAIRED_CELLS // others + 1)
        some = np.flatnonzero(place % -(-len(rows) // most) == 0)
        parts = self._by_statistic(rows[some], scale[some])
        few = int(np.clip(_MOST_PAIRS // (others * len(parts)), _FEWEST_PARTNERS, _PARTNERS))
        firsts = truth[some].take(ranked[_COARSE:], axis=1).astype(np.float32)
        partners = truth[some].take(ranked[:few], axis=1).astype(np.float32)
        both = np.empty((len(parts), firsts.shape[1], partners.shape[1]), dtype=np.float32)
        own = np.empty((len(parts), partners.shape[1]), dtype=np.float32)
        of_roots = np.empty((len(parts), firsts.shape[1]), dtype=np.float32)
        for q, (inside, amount) in enumerate(parts):
            A, B = firsts[inside], partners[inside] * amount[:, None]
            np.matmul(A.T, B, out=both[q])
            own[q], of_roots[q] = B.sum(axis=0), amount @ A
        whole = np.array([amount.sum() for _, amount in parts], dtype=np.float32)
        total, _, _ = _two_sides(both, own, of_roots, whole, cost)
        return np.argsort(total, kind="stable")[:_PAIRED]

    def _by_label(self, rows: Index) -> Index:
        """An order of rows with those of one class after the other, where each has one."""
        if self._label is None:
            return np.arange(len(rows))
        return np.argsort(self._label[rows], kind="stable")

    def _by_statistic(
        self, rows: Index, scale: NDArray[np.float32]
    ) -> list[tuple[slice, NDArray[np.float32]]]:
        """The rows that count in each statistic, as `_by_label` has them, and how much."""
        if self._label is None or self._amount is None:
            return [(slice(None), s.take(rows) * scale) for s in self.stats]
        amount = self._amount[rows].astype(np.float32) * scale
        cuts = np.flatnonzero(np.diff(self._label[rows])) + 1
        parts = map(slice, [0, *cuts], [*cuts, len(rows)])
        return [(part, amount[part]) for part in parts]

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


def _pairs(
    T: NDArray[np.float32],
    roots: Index,
    parts: list[tuple[slice, NDArray[np.float32]]],
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], bool]:
    """Sums of every statistic where both of two literals hold (q, r, l), where one does, and all.

    The last says whether the first are symmetric to the last digit.

    Only rows that count in a statistic are looked at: for hard classes each row once, not once
    a class. A product with itself takes BLAS half the work.
    """
    every = mirrored = len(roots) == T.shape[1]
    both = np.empty((len(parts), len(roots), T.shape[1]), dtype=np.float32)
    own = np.empty((len(parts), T.shape[1]), dtype=np.float32)
    whole = np.empty(len(parts), dtype=np.float32)
    for q, (inside, amount) in enumerate(parts):
        U = T[inside]
        if every and (amount >= 0).all():
            if (amount != 1).any():
                U = U * np.sqrt(amount)[:, None]
            np.matmul(U.T, U, out=both[q])
            own[q] = np.diagonal(both[q])
        else:
            mirrored = False
            first = U * amount[:, None]
            np.matmul(first.T[roots], U, out=both[q])
            own[q] = first.sum(axis=0)
        whole[q] = amount.sum(dtype=np.float64)
    return both, own, whole, mirrored


def _two_sides(
    both: NDArray[np.float32],
    own: NDArray[np.float32],
    of_roots: NDArray[np.float32],
    whole: NDArray[np.float32],
    cost: Cost,
    mirrored: bool = False,
) -> tuple[NDArray[np.float64], Index, Index]:
    """For every root its cost with the cheapest second literals, and these (or none, -1).

    Where ``both`` is ``mirrored``, what the first and not the second costs is, transposed, what the
    second and not the first costs.
    """
    roots = both.shape[1]
    total, second = np.empty(roots), np.empty((2, roots), dtype=np.int64)
    step = max(_BLOCK * roots // both.size, 1)
    for start in range(0, roots, step):
        part = slice(start, start + step)
        inside, root = both[:, part], of_roots[:, part]
        apart = cost(root[:, :, None] - inside)  # the root, and not the second
        left = _best_second(cost(inside) + apart, cost(root))
        second_only = own[:, None, :] - inside
        rest = whole[:, None] - root
        others = apart.T if mirrored and step >= roots else cost(second_only)
        right = _best_second(others + cost(rest[:, :, None] - second_only), cost(rest))
        total[part] = left[0] + right[0]
        second[0, part], second[1, part] = left[1], right[1]
    return total, second[0], second[1]


def _best_second(pairs: NDArray[Any], leaf: NDArray[Any]) -> tuple[NDArray[np.float64], Index]:
    """For every root, the cheapest second literal (or none, -1) and its cost.

    Of costs with each second literal, shape (roots, literals), and with none, shape (roots,).
    """
    second = pairs.argmin(axis=1)
    best = pairs[np.arange(len(pairs)), second]
    worth = best < leaf * (1 - 1e-6)
    return np.where(worth, best, leaf).astype(np.float64), np.where(worth, second, -1)


def _coarse(feature: Index) -> Index:
    """Evenly spaced literals of every feature, about 192 in all, at least three a feature."""
    names, first, count = np.unique(feature, return_index=True, return_counts=True)
    each = max(3, _COARSE // max(len(names), 1))
    parts = [
        start + np.unique(np.linspace(0, n - 1, min(n, each)).round().astype(np.int64))
        for start, n in zip(first, count, strict=True)
    ]
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)
