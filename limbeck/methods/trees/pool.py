"""The pool of clauses, and the stitch: the best tree of every size in one pass.

A clause is kept as the set of sample rows that satisfy it, so that clauses that say the same
meet in one place whatever path led there. A split joins a clause to its two children. The best
tree rooted at a clause is a leaf, or a split whose children are kept (Boix-Adsera 2024,
section 4); costs add over leaves, so a dynamic programme over clauses, smallest first, gives
for each the whole frontier of cost against leaves.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from limbeck.methods.trees.costs import Cost
from limbeck.methods.trees.plan import Plan
from limbeck.methods.trees.sample import Index, Lookahead, Sample

__all__ = ["Pool"]


@dataclass
class _Clause:
    rows: Index
    splits: dict[int, tuple[bytes, bytes]]
    frontier: NDArray[np.float64]  # cost with at most 1, 2, ... leaves
    choice: list[tuple[int, int]]  # literal and leaves on the left, or (-1, 0) for a leaf


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
    """

    def __init__(self, sample: Sample, cost: Cost, max_leaves: int) -> None:
        self.sample, self.cost, self.max_leaves = sample, cost, max_leaves
        self._clauses: dict[bytes, _Clause] = {}
        self.root = self._keep(np.arange(len(sample), dtype=np.int64))
        self.n_splits = 0

    def __len__(self) -> int:
        return len(self._clauses)

    def rows(self, clause: bytes) -> Index:
        """The sample rows of a clause."""
        return self._clauses[clause].rows

    def leaf_cost(self, clause: bytes) -> float:
        """The cost of the clause as one leaf."""
        return float(self._clauses[clause].frontier[0])

    def split(self, clause: bytes, literal: int) -> tuple[bytes, bytes] | None:
        """Keep a split and both children; None if one side would be empty."""
        parent = self._clauses[clause]
        if literal in parent.splits:
            return parent.splits[literal]
        inside = self.sample.truth[literal, parent.rows]
        left, right = parent.rows[inside], parent.rows[~inside]
        if len(left) == 0 or len(right) == 0:
            return None
        parent.splits[literal] = (self._keep(left), self._keep(right))
        self.n_splits += 1
        return parent.splits[literal]

    def split_two(self, clause: bytes, ahead: Lookahead, literal: int) -> None:
        """Keep a split that a lookahead found, and the splits of its children."""
        children = self.split(clause, literal) if np.isfinite(ahead.total[literal]) else None
        for child, seconds in zip(children or (), (ahead.left, ahead.right), strict=False):
            if seconds[literal] >= 0:
                self.split(child, int(seconds[literal]))

    def add(self, plan: Plan, clause: bytes | None = None) -> None:
        """Keep every split of a tree below a clause (the root by default)."""
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
        """Fill every clause's frontier; return the root's, by leaves 1 ... max_leaves."""
        for clause in sorted(self._clauses.values(), key=lambda c: len(c.rows)):
            most = min(self.max_leaves, len(clause.rows))
            best, choice = clause.frontier, clause.choice
            for literal, (a, b) in clause.splits.items():
                left, right = self._clauses[a].frontier, self._clauses[b].frontier
                # min-plus convolution; frontiers never rise, so "at most" adds up
                for i in range(min(most - 1, len(left))):
                    if i and left[i] >= left[i - 1]:
                        continue
                    sums = left[i] + right[: most - 1 - i]
                    gain = np.flatnonzero(sums < best[i + 1 : i + 1 + len(sums)] - 1e-9)
                    for g in gain:
                        best[i + 1 + g] = sums[g]
                        choice[i + 1 + g] = (literal, i + 1)
            for size in range(1, len(best)):
                if best[size] >= best[size - 1] - 1e-9:
                    best[size], choice[size] = (
                        best[size - 1],
                        (-2, size),
                    )  # one leaf fewer is as good
        found = self._clauses[self.root].frontier
        return np.pad(found, (0, self.max_leaves - len(found)), mode="edge")  # few rows

    def best(self, leaves: int, clause: bytes | None = None) -> Plan:
        """The best tree with at most so many leaves, after :meth:`stitch`."""
        at = self._clauses[self.root if clause is None else clause]
        size = min(leaves, len(at.choice))
        while at.choice[size - 1][0] == -2:
            size = at.choice[size - 1][1]
        literal, on_left = at.choice[size - 1]
        if literal == -1:
            return Plan()
        a, b = at.splits[literal]
        return Plan(literal, self.best(on_left, a), self.best(size - on_left, b))

    def _keep(self, rows: Index) -> bytes:
        mask = np.zeros(len(self.sample), dtype=np.bool_)
        mask[rows] = True
        key = hashlib.blake2b(np.packbits(mask).tobytes(), digest_size=16).digest()
        if key not in self._clauses:
            leaf = float(self.cost(self.sample.total(rows)))
            size = min(self.max_leaves, len(rows))
            self._clauses[key] = _Clause(
                rows, {}, np.full(size, leaf), [(-1, 0)] + [(-2, i) for i in range(1, size)]
            )
        return key
