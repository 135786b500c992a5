"""Best-first greedy trees over literals (CART, Breiman, Friedman, Olshen and Stone 1984)."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.methods.search_and_stitch.binned import BinnedRows
from limbeck.methods.search_and_stitch.costs import Cost, level
from limbeck.methods.search_and_stitch.histograms import Index
from limbeck.methods.search_and_stitch.limits import TreeLimits
from limbeck.students.tree.nodes import LE, Nodes

__all__ = ["best_first"]


def best_first(
    data: BinnedRows,
    rows: Index,
    cost: Cost,
    target: NDArray[Any],
    weight: NDArray[np.float64],
    classes: int,
    max_leaves: int,
    limits: TreeLimits | None = None,
    own: int | None = None,
) -> Nodes:
    """Grow a tree, at every step by the split that lowers the cost most.

    Parameters
    ----------
    data : BinnedRows
        The literals and the statistics of the rows.
    rows : ndarray of shape (m,), int
        The rows to grow on.
    cost : callable
        Cost of the statistics of a leaf.
    target : ndarray of shape (n,) or (n, classes)
        Class indices, values, or probabilities of all rows, for the values of the leaves.
    weight : ndarray of shape (n,)
        Weights of all rows.
    classes : int
        The number of classes; 0 for values.
    max_leaves : int
        The most leaves.
    limits : TreeLimits, optional
        What the tree may not do.
    own : int, optional
        The first rows, which the smallest leaf is counted in; by default all.

    Returns
    -------
    Nodes
        In the order in which they were grown: the first 2 m - 1 are the tree of m leaves.
    """
    tree = _Growing(data, cost, weight, limits, len(weight) if own is None else own,
                    1e-9 * max(float(weight[rows].sum()), 1e-30))  # fmt: skip
    leaves = [_Leaf(rows, 0, frozenset(), data.tally(rows))]
    split: dict[int, tuple[int, int, int]] = {}
    queue: list[tuple[float, int, int]] = []
    tree.look(leaves, 0, queue)
    while queue and len(split) + 1 < max_leaves:
        _, i, literal = heapq.heappop(queue)
        split[i] = (literal, len(leaves), len(leaves) + 1)
        leaves += tree.children(leaves[i], literal)
        leaves[i] = replace(leaves[i], tally=None)  # which may be large
        tree.look(leaves, len(leaves) - 2, queue)
        tree.look(leaves, len(leaves) - 1, queue)
    return _nodes(data, [leaf.rows for leaf in leaves], split, target, weight, classes)


@dataclass(frozen=True)
class _Leaf:
    """Rows, and the questions before them."""

    rows: Index
    depth: int
    asked: frozenset[int]
    tally: NDArray[np.int64] | None  # of its rows; see `BinnedRows.tally`


@dataclass(frozen=True)
class _Growing:
    data: BinnedRows
    cost: Cost
    weight: NDArray[np.float64]
    limits: TreeLimits | None
    own: int
    least: float

    def look(self, leaves: list[_Leaf], i: int, queue: list[tuple[float, int, int]]) -> None:
        """Put the best split of a leaf into the queue, if there is one."""
        leaf, data = leaves[i], self.data
        if len(leaf.rows) < 2 or not len(data.literals):
            return
        now = float(self.cost(data.total(leaf.rows)))
        if now <= self.least or (self.limits and leaf.depth >= self.limits.max_depth):
            return
        after = data.after_one(leaf.rows, self.cost, leaf.tally)
        if self.limits is not None:
            after = after + self._price(leaf, self.limits)
        best = int(after.argmin())
        if after[best] < now - self.least:
            heapq.heappush(queue, (float(after[best]) - now, i, best))

    def children(self, leaf: _Leaf, literal: int) -> list[_Leaf]:
        """The two sides of a split."""
        inside = self.data.bins.true(literal, leaf.rows)
        sides = leaf.rows[inside], leaf.rows[~inside]
        asked = leaf.asked | {int(self.data.literals.feature[literal])}
        return [
            _Leaf(side, leaf.depth + 1, asked, tally)
            for side, tally in zip(sides, self._tallies(leaf, sides), strict=True)
        ]

    def _tallies(self, leaf: _Leaf, sides: tuple[Index, Index]) -> list[NDArray[np.int64] | None]:
        """Those of both sides: the smaller is counted, the other is what is left."""
        if leaf.tally is None:
            return [None, None]
        small = int(len(sides[1]) < len(sides[0]))
        counted = self.data.tally(sides[small])
        assert counted is not None  # noqa: S101
        out: list[NDArray[np.int64] | None] = [counted, leaf.tally - counted]
        return out if small == 0 else out[::-1]

    def _price(self, leaf: _Leaf, limits: TreeLimits) -> NDArray[np.float64]:
        """What each literal costs beside the loss; infinite where it may not be asked."""
        literals, bins = self.data.literals, self.data.bins
        price = limits.price(literals, leaf.asked) * float(self.weight[leaf.rows].sum())
        if limits.min_rows > 1:
            mine = leaf.rows[leaf.rows < self.own]
            count = bins.inside(bins.counts(mine, np.zeros(len(mine), np.int64), 1))[0]
            few = (count < limits.min_rows) | (len(mine) - count < limits.min_rows)
            price = np.where(few, np.inf, price)
        if limits.direction.any():
            left, whole, splits = self.data.every_inside(leaf.rows)
            with np.errstate(divide="ignore", invalid="ignore"):
                values = level(left), level(whole[:, None] - left)
            sign = limits.direction[literals.feature]
            rises = np.array([t.op == LE for t in literals.items]) * sign
            wrong = ~splits | (rises * (values[1] - values[0]) < 0)
            price = np.where(wrong, np.inf, price)
        return price


def _nodes(
    data: BinnedRows,
    parts: list[Index],
    split: dict[int, tuple[int, int, int]],
    target: NDArray[Any],
    weight: NDArray[np.float64],
    classes: int,
) -> Nodes:
    asked = [data.literals.items[split[i][0]] if i in split else None for i in range(len(parts))]
    total = np.array([weight[p].sum() for p in parts])
    if target.ndim == 2:
        value = np.stack([weight[p] @ target[p] for p in parts])
    elif classes:
        value = np.stack([np.bincount(target[p], weight[p], classes) for p in parts])
    else:
        value = np.array([[weight[p] @ target[p]] for p in parts])
    left, right = (np.array([split[i][s] if i in split else -1 for i in range(len(parts))])
                   for s in (1, 2))  # fmt: skip
    return Nodes(
        feature=np.array([-1 if t is None else t.feature for t in asked]),
        op=np.array([0 if t is None else t.op for t in asked]),
        threshold=np.array([0.0 if t is None else t.threshold for t in asked]),
        missing_left=np.array([t is not None and t.missing_left for t in asked]),
        left=left,
        right=right,
        value=value / total[:, None],
        weight=total,
    )
