"""The pool of clauses, and the stitch: the best tree of every size in one pass.

A clause is kept as the set of sample rows that satisfy it, so that clauses that say the same
meet in one place whatever path led there. A split joins a clause to its two children. The best
tree rooted at a clause is a leaf, or a split whose children are kept (Boix-Adsera 2024,
section 4); costs add over leaves, so a dynamic programme over clauses, smallest first, gives
for each the whole frontier of cost against leaves; where depth is limited, for each depth.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from numpy.typing import NDArray

from limbeck.methods.search_and_stitch.costs import Cost, level
from limbeck.methods.search_and_stitch.plan import PlannedTree
from limbeck.methods.search_and_stitch.sample import Index, Lookahead, Sample
from limbeck.students.tree.nodes import LE

__all__ = ["Pool"]

_ROUNDING = 1e-6  # of means of float32


@dataclass
class _Clause:
    rows: Index
    splits: dict[int, tuple[bytes, bytes]]
    leaf: float  # cost as one leaf
    parents: set[bytes] = field(default_factory=set)


class Pool:
    """Clauses and splits found so far.

    Parameters
    ----------
    sample : Sample
        The labelled rows on which costs are counted.
    cost : Cost
        What the stitch minimises.
    max_leaves : int
        The largest tree that is wanted.
    max_depth : int, optional
        The most questions before a leaf.
    direction : ndarray of shape (d,), int, optional
        1 or -1 for columns whose splits must leave the larger mean, or share of the second class,
        above or below.
    """

    def __init__(
        self,
        sample: Sample,
        cost: Cost,
        max_leaves: int,
        max_depth: int | None = None,
        direction: Index | None = None,
    ) -> None:
        self.sample, self.cost, self.max_leaves = sample, cost, max_leaves
        self._direction = direction
        # Frontiers have a row for each depth from 0, or one row where depth is not limited.
        self._below = [0] if max_depth is None else [-1, *range(max_depth)]
        self._clauses: dict[bytes, _Clause] = {}
        self._frontiers: dict[bytes, NDArray[np.float64]] = {}
        self._best: dict[tuple[bytes, int, int], PlannedTree] = {}  # since the last stitch
        self._changed: set[bytes] = set()
        self.least = 1e-9 * float(sample.weight.sum())  # smaller gains are rounding
        self.root = self._keep(np.arange(len(sample), dtype=np.int64))
        self.n_splits = 0

    def __len__(self) -> int:
        return len(self._clauses)

    def rows(self, clause: bytes) -> Index:
        """The sample rows of a clause."""
        return self._clauses[clause].rows

    def leaf_cost(self, clause: bytes) -> float:
        """The cost of the clause as one leaf."""
        return self._clauses[clause].leaf

    def split(self, clause: bytes, literal: int) -> tuple[bytes, bytes] | None:
        """Keep a split and both children; None if one side would be empty or too small.

        Parameters
        ----------
        clause : bytes
            The rows that reach the node.
        literal : int
            The test.
        """
        parent = self._clauses[clause]
        if literal in parent.splits:
            return parent.splits[literal]
        inside = self.sample.truth[literal].take(parent.rows)
        left, right = parent.rows[inside], parent.rows[~inside]
        least, own = self.sample.min_rows, self.sample.own
        if (
            len(left) == 0
            or len(right) == 0
            or (least > 1 and min((left < own).sum(), (right < own).sum()) < least)
            or self._turns(literal, left, right)
        ):
            return None
        children = parent.splits[literal] = (self._keep(left), self._keep(right))
        for child in children:
            self._clauses[child].parents.add(clause)
        self._changed.add(clause)
        self.n_splits += 1
        return children

    def split_two(self, clause: bytes, ahead: Lookahead, literal: int) -> None:
        """Keep a split that a lookahead found, and the splits of its children.

        Parameters
        ----------
        clause : bytes
            The rows that reach the node.
        ahead : Lookahead
            The best second tests.
        literal : int
            The first test.
        """
        children = self.split(clause, literal) if np.isfinite(ahead.total[literal]) else None
        for child, seconds in zip(children or (), (ahead.left, ahead.right), strict=False):
            if seconds[literal] >= 0:
                self.split(child, int(seconds[literal]))

    def add(self, plan: PlannedTree, clause: bytes | None = None) -> None:
        """Keep every split of a tree below a clause (the root by default).

        Parameters
        ----------
        plan : PlannedTree
            The tree.
        clause : bytes, optional
            The rows that reach its root.
        """
        clause = self.root if clause is None else clause
        if plan.left is None or plan.right is None:
            return
        children = self.split(clause, plan.literal)
        if children is None:  # this side is empty on the sample: the other side stands for it
            inside = self.sample.truth[plan.literal, self._clauses[clause].rows[:1]]
            self.add(plan.left if inside.all() else plan.right, clause)
            return
        self.add(plan.left, children[0])
        self.add(plan.right, children[1])

    def stitch(self) -> NDArray[np.float64]:
        """Fill every clause's frontier; return the root's, by leaves 1 ... max_leaves.

        Clauses under which nothing has changed since the last time keep theirs.
        """
        out, self._best = self._frontiers, {}
        for key in self._outdated():
            clause = self._clauses[key]
            best = np.full((len(self._below), self.max_leaves), clause.leaf)
            pairs = list(dict.fromkeys(clause.splits.values()))
            left, right, start = _sums(self._largest(len(clause.rows)))
            size = len(start) + 1
            for depth, below in enumerate(self._below if pairs and len(start) else ()):
                if below < 0:
                    continue
                a, b = (np.array([out[pair[side]][below] for pair in pairs]) for side in (0, 1))
                # min-plus convolution: all ways to share the leaves between the two sides
                shared = (a[:, left] + b[:, right]).min(axis=0)
                best[depth, 1:size] = np.minimum.reduceat(shared, start)
                best[depth] = np.minimum.accumulate(best[depth])
            out[key] = best
        return np.asarray(out[self.root][-1])

    def _largest(self, rows: int) -> int:
        """Leaves that so many rows can use: the next power of 2, so that few sizes occur."""
        return min(1 << (rows - 1).bit_length(), self.max_leaves)

    def _outdated(self) -> list[bytes]:
        """Clauses with new splits, those above them and new ones, smallest first."""
        found, stack = set(self._changed), list(self._changed)
        while stack:
            new = self._clauses[stack.pop()].parents - found
            found |= new
            stack += new
        self._changed = set()
        return sorted(found, key=lambda key: len(self._clauses[key].rows))

    def best(self, leaves: int, clause: bytes | None = None, depth: int = -1) -> PlannedTree:
        """The best tree with at most so many leaves, after :meth:`stitch`.

        Parameters
        ----------
        leaves : int
            Most leaves.
        clause : bytes, optional
            The rows that reach the root.
        depth : int
            The row of the frontiers that is read, the last by default.
        """
        clause = self.root if clause is None else clause
        cost = self._frontiers[clause][depth]
        size = min(leaves, len(cost))
        while size > 1 and cost[size - 2] <= cost[size - 1] + self.least:
            size -= 1  # one leaf fewer is as good
        if size == 1:
            return PlannedTree()
        key = (clause, size, depth)
        if key not in self._best:
            self._best[key] = self._joined(clause, size, self._below[depth])
        return self._best[key]

    def _joined(self, clause: bytes, size: int, below: int) -> PlannedTree:
        """The cheapest split of a clause into two trees of so many leaves together."""
        known, literal, on_left, lowest = self._frontiers, -1, 0, np.inf
        for candidate, (a, b) in self._clauses[clause].splits.items():
            sums = known[a][below, : size - 1] + known[b][below, : size - 1][::-1]
            at = int(sums.argmin())
            if sums[at] < lowest - self.least / 10:
                literal, on_left, lowest = candidate, at + 1, float(sums[at])
        a, b = self._clauses[clause].splits[literal]
        return PlannedTree(
            literal, self.best(on_left, a, below), self.best(size - on_left, b, below)
        )

    def cost_of(self, plan: PlannedTree, rows: Index | None = None) -> float:
        """The cost of a tree on some rows of the sample, all by default.

        Parameters
        ----------
        plan : PlannedTree
            The tree.
        rows : ndarray of int, optional
            Positions in the sample.
        """
        rows = self.rows(self.root) if rows is None else rows
        if plan.left is None or plan.right is None:
            return float(self.cost(self.sample.total(rows)))
        inside = self.sample.truth[plan.literal, rows]
        left, right = self.cost_of(plan.left, rows[inside]), self.cost_of(plan.right, rows[~inside])
        return left + right

    def _turns(self, literal: int, left: Index, right: Index) -> bool:
        """Whether a split goes against the direction of its column."""
        asked = self.sample.literals.items[literal]
        sign = 0 if self._direction is None else int(self._direction[asked.feature])
        if not sign or asked.op != LE:
            return False
        below, above = (level(self.sample.total(side)) for side in (left, right))
        return bool(sign * (above - below) < -_ROUNDING)

    def _keep(self, rows: Index) -> bytes:
        mask = np.zeros(len(self.sample), dtype=np.bool_)
        mask[rows] = True
        key = hashlib.blake2b(np.packbits(mask).tobytes(), digest_size=16).digest()
        if key not in self._clauses:
            self._clauses[key] = _Clause(rows, {}, float(self.cost(self.sample.total(rows))))
            self._changed.add(key)
        return key


@cache
def _sums(size: int) -> tuple[Index, Index, Index]:
    """Leaves less one on the left and right, by their sum 0 ... size - 2, and each sum's start."""
    pairs = [(i, t - i) for t in range(size - 1) for i in range(t + 1)]
    left, right = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return left, right, np.cumsum([0, *range(1, size - 1)])[: max(size - 1, 0)]
