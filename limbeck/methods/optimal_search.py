"""The best tree of limited depth over given questions, by dynamic programming over row sets.

The last two levels are solved at once: the statistics of all pairs of questions are one matrix
product, and the cheapest second question on each side of every first one is read from it. A node
above tries all questions, most promising first, until its cost is what rows that no question tells
apart cost in any tree.

Where trees must be monotone, no split may go against the direction of its column, and a tree that
would be better is taken only if it still is when the values of its leaves are in order. What is
best on each side of such a split need not be best together, so that nothing is proven then.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.methods.search_and_stitch.costs import Cost, level
from limbeck.methods.search_and_stitch.monotone import MonotoneTrees
from limbeck.methods.search_and_stitch.plan import PlannedTree
from limbeck.methods.search_and_stitch.sample import Index, Sample
from limbeck.students.tree.nodes import LE

__all__ = ["OptimalSearch"]

Array = NDArray[np.float64]
_ROUNDING = 1e-6  # of means of float32
_TRIED = 12  # trees of two levels whose leaves are put in order, at each node and size


@dataclass
class OptimalSearch:
    """The search; see the module's first lines.

    Parameters
    ----------
    sample : Sample
        Labelled rows and the questions.
    cost : callable
        Cost of the statistics of a leaf.
    max_leaves : int
        The most leaves.
    max_depth : int
        The most questions before a leaf.
    deadline : float
        When to stop, on the clock of `time.monotonic`.
    ordered : MonotoneTrees, optional
        What monotone trees cost on the sample, where trees must be.

    Attributes
    ----------
    proven : bool
        Whether the search ended before its deadline, so that its trees are the best, but for
        monotone ones.
    """

    sample: Sample
    cost: Cost
    max_leaves: int
    max_depth: int
    deadline: float
    ordered: MonotoneTrees | None = None
    proven: bool = True
    _known: dict[tuple[bytes, int], list[tuple[float, PlannedTree]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._T = self.sample.truth.T.astype(np.float32)
        self._least = self._floors()
        literals, n = self.sample.literals, len(self.sample.literals)
        self._sign = np.zeros(n, dtype=np.int64)  # of questions with a direction
        if self.ordered is not None and n:
            asks = np.array([t.op == LE for t in literals.items])
            self._sign = self.ordered.direction[literals.feature] * asks

    def trees(self) -> list[PlannedTree]:
        """The best trees of at most 1, 2, ... ``max_leaves`` leaves."""
        rows = np.arange(len(self.sample), dtype=np.int64)
        found = self._frontier(rows, self.max_depth)
        return [found[min(m, len(found)) - 1][1] for m in range(1, self.max_leaves + 1)]

    def _counted(self, rows: Index) -> int:
        """How many of some rows count for the smallest leaf."""
        return int((rows < self.sample.own).sum())

    def _floors(self) -> Array:
        """For each row its share of what rows that no question tells apart cost together."""
        packed = np.packbits(self.sample.truth.T, axis=1)
        if packed.shape[1] == 0:
            packed = np.zeros((len(self.sample), 1), dtype=np.uint8)
        _, group, count = np.unique(packed, axis=0, return_inverse=True, return_counts=True)
        group = group.reshape(-1)
        stats = np.stack([np.bincount(group, s, len(count)) for s in self.sample.stats])
        return np.asarray((self.cost(stats) / count)[group])

    def _frontier(self, rows: Index, depth: int) -> list[tuple[float, PlannedTree]]:
        """Cost and tree of at most 1, 2, ... leaves and so much depth; costs never rise."""
        leaf = (float(self.cost(self.sample.total(rows))), PlannedTree())
        floor = float(self._least[rows].sum())
        if depth == 0 or len(rows) < 2 or leaf[0] <= floor + 1e-9:
            return [leaf]
        key = (rows.tobytes(), depth)
        if key not in self._known:
            self._known[key] = (
                self._two_levels(rows, leaf) if depth <= 2 else self._deeper(rows, depth, leaf)
            )
            if depth == 1:
                self._known[key] = self._known[key][:2]
        return self._known[key]

    def _deeper(
        self, rows: Index, depth: int, leaf: tuple[float, PlannedTree]
    ) -> list[tuple[float, PlannedTree]]:
        """A first question, and the best below it on both sides."""
        most = min(self.max_leaves, 2**depth)
        best = _extended(list(self._two_levels(rows, leaf)), most)
        alone = self.sample.after_one(rows, self.cost)
        seen: set[bytes] = set()
        for literal in np.argsort(alone, kind="stable"):
            if not np.isfinite(alone[literal]):
                break
            inside = self.sample.truth[literal, rows]
            left, right = rows[inside], rows[~inside]
            if min(self._counted(left), self._counted(right)) < self.sample.min_rows:
                continue
            below, above = self.sample.total(left), self.sample.total(right)
            if self._turns(below, above, self._sign[literal]):
                continue
            floor = float(self._least[rows].sum())
            if best[-1][0] <= floor + 1e-9:
                break
            key = min(left.tobytes(), right.tobytes())
            if key in seen:
                continue
            seen.add(key)
            if time.monotonic() > self.deadline:
                self.proven = False
                break
            a, b = self._frontier(left, depth - 1), self._frontier(right, depth - 1)
            for i, (first, one) in enumerate(a):
                for j, (second, other) in enumerate(b):
                    size = i + j + 2
                    if size <= most and first + second < best[size - 1][0] - 1e-9:
                        tree = PlannedTree(int(literal), one, other)
                        _take(best, size, self._cost(tree, rows, first + second), tree)
        return best

    def _cost(self, tree: PlannedTree, rows: Index, free: float) -> float:
        """What a tree costs, whose sides cost so much together, once its leaves are in order."""
        if self.ordered is None or not self._sign.any():
            return free
        return max(free, self.ordered.loss(tree, rows))

    def _turns(self, left: Array, right: Array, sign: NDArray[np.int64] | np.int64) -> Any:
        """Whether splits into such sums go against the direction of their column."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return sign * (level(right) - level(left)) < -_ROUNDING

    def _two_levels(
        self, rows: Index, leaf: tuple[float, PlannedTree]
    ) -> list[tuple[float, PlannedTree]]:
        """The best of 1 to 4 leaves and depth 2, over all pairs of questions."""
        T = self._T.take(rows, axis=0)
        mine, least = T[rows < self.sample.own], self.sample.min_rows
        count, own_count = T.sum(axis=0), mine.sum(axis=0)
        at = np.flatnonzero(
            (count > 0)
            & (count < len(rows))
            & (np.minimum(own_count, len(mine) - own_count) >= (least if least > 1 else 0))
        )
        best = _extended([leaf], min(4, self.max_leaves))
        if not len(at):
            return best
        T = T.take(at, axis=1)
        stats = self.sample.stats.take(rows, axis=1)
        stats = stats[(stats != 0).any(axis=1)] if len(stats) > 3 else stats
        both = np.stack([(T * s[:, None]).T @ T for s in stats]).astype(np.float64)
        own = np.einsum("qvv->qv", both)
        whole = stats.sum(axis=1, dtype=np.float64)[:, None]
        counted = T if least == 1 else mine.take(at, axis=1)
        met = np.rint(counted.T @ counted)  # rows where both hold
        alone = np.diagonal(met)
        sides: list[tuple[Array, Array, Index]] = []
        for inside, root, there, most in (
            (both, own, met, alone[:, None]),
            (own[:, None, :] - both, whole - own, alone - met, len(counted) - alone[:, None]),
        ):
            outside = root[:, :, None] - inside
            pairs = self.cost(inside) + self.cost(outside)
            pairs[np.minimum(there, most - there) < least] = np.inf  # a side is empty, or small
            if self._sign.any():
                pairs[self._turns(inside, outside, self._sign[at])] = np.inf
            second = pairs.argmin(axis=1)
            sides.append((self.cost(root), pairs[np.arange(len(pairs)), second], second))
        if self._sign.any():
            turned = self._turns(own, whole - own, self._sign[at])
            sides[0][0][turned] = sides[0][1][turned] = np.inf
        self._fill(best, sides, at, rows)
        return best

    def _fill(
        self,
        best: list[tuple[float, PlannedTree]],
        sides: list[tuple[Array, Array, Index]],
        at: Index,
        rows: Index,
    ) -> None:
        """The best of 2 to 4 leaves, from leaf, split and second question on both sides."""
        (l1, l2, left), (r1, r2, right) = sides
        ways = (2, l1 + r1, False, False), (3, l2 + r1, True, False), (3, l1 + r2, False, True)
        tried = _TRIED if self._sign.any() else 1
        for size, costs, on_left, on_right in (*ways, (4, l2 + r2, True, True)):
            if size > len(best):
                continue
            for v in np.argsort(costs, kind="stable")[:tried] if tried > 1 else [costs.argmin()]:
                if costs[v] >= best[size - 1][0] - 1e-9:
                    break
                leaf = PlannedTree()
                tree = PlannedTree(
                    int(at[v]),
                    PlannedTree(int(at[left[v]]), leaf, leaf) if on_left else leaf,
                    PlannedTree(int(at[right[v]]), leaf, leaf) if on_right else leaf,
                )
                _take(best, size, self._cost(tree, rows, float(costs[v])), tree)


def _take(best: list[tuple[float, PlannedTree]], size: int, cost: float, tree: PlannedTree) -> None:
    """Put a tree of so many leaves where it is better than what is known."""
    for k in range(size - 1, len(best)):
        if cost < best[k][0] - 1e-9:
            best[k] = (cost, tree)


def _extended(found: list[tuple[float, PlannedTree]], most: int) -> list[tuple[float, PlannedTree]]:
    """A frontier of ``most`` sizes: the largest tree known stands for larger ones."""
    return [*found, *([found[-1]] * (most - len(found)))][:most]
