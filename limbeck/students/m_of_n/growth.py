"""Best-first growth of a tree of m-of-n tests (Craven and Shavlik 1996, table 1).

The leaf with the largest reach x (1 - fidelity) is expanded next: the share of rows that come to
it, times the share of them on which it is wrong (for values: the share of variance it leaves).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Features
from limbeck.students.m_of_n.count_tests import BeamSettings, CountTest, LiteralTable, best_test
from limbeck.students.m_of_n.literals import literal_table
from limbeck.students.rules.search import statistics

__all__ = ["GrowingNode", "Growth", "Instances"]

Matrix = NDArray[np.float64]
_MOST_INSTANCES = 5000  # among which a test is looked for


@dataclass(frozen=True, eq=False)
class Instances:
    """Rows with the teacher's answers.

    Parameters
    ----------
    values : ndarray of shape (n, d)
        Encoded rows.
    target : ndarray of shape (n,)
        Positions of classes, or values.
    weight : ndarray of shape (n,)
        How much each counts.
    """

    values: Matrix
    target: NDArray[Any]
    weight: Matrix

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, index: Any) -> Instances:
        return Instances(self.values[index], self.target[index], self.weight[index])

    def __add__(self, other: Instances) -> Instances:
        return Instances(
            np.vstack([self.values, other.values]),
            np.concatenate([self.target, other.target]),
            np.concatenate([self.weight, other.weight]),
        )


@dataclass(eq=False)
class GrowingNode:
    """A node on the way.

    Parameters
    ----------
    rows : Instances
        The user's own rows that come here.
    path : tuple of (CountTest, bool)
        The tests above, and whether they were passed.
    reach : float
        The share of all rows that comes here.
    stats : ndarray of shape (q,)
        Of the instances by which the node is judged.
    sample : Instances
        The rows and drawn instances by which it is judged.
    test : CountTest, optional
        What it asks; None for a leaf.
    children : list of int
        Where it is passed, and where not.
    model : object
        What the source of further instances keeps with the node.
    """

    rows: Instances
    path: tuple[tuple[CountTest, bool], ...]
    reach: float
    stats: Matrix
    sample: Instances
    test: CountTest | None = None
    children: list[int] = field(default_factory=list)
    closed: bool = False
    parent: int = -1
    model: Any = None


More = Callable[[GrowingNode, "list[GrowingNode]"], Instances]
"""From a node and all nodes so far to instances drawn for it, with answers."""


class Growth:
    """Grows one tree; after each expansion it is a tree with one leaf more.

    Parameters
    ----------
    features : Features
        The d columns.
    rows : Instances
        The user's own.
    classes : int
        The number of classes; 0 for values.
    max_leaves : int
        Where growth ends.
    beam : BeamSettings
        How tests are looked for.
    rng : numpy.random.Generator
        The source of chance.
    more : callable, optional
        Draws further instances for a node; see `More`.
    min_instances : int
        A node with fewer is a leaf.
    max_numbers : int, optional
        Growth ends with the first tree that holds more.
    hidden : ndarray of shape (d,), bool, optional
        Columns that no test may be about.
    max_depth : int, optional
        Most tests before a leaf.
    min_rows : int
        Fewest of the user's rows in a leaf.
    """

    def __init__(
        self,
        features: Features,
        rows: Instances,
        classes: int,
        max_leaves: int,
        beam: BeamSettings,
        rng: np.random.Generator,
        more: More | None = None,
        min_instances: int = 4,
        max_numbers: int | None = None,
        hidden: NDArray[np.bool_] | None = None,
        max_depth: int | None = None,
        min_rows: int = 1,
    ) -> None:
        self.features, self.classes, self.max_leaves = features, classes, max_leaves
        self.beam, self.rng, self.more, self.min_instances = beam, rng, more, min_instances
        self.most = np.inf if max_numbers is None else max_numbers
        self.hidden, self.min_rows = hidden, min_rows
        self.max_depth = np.inf if max_depth is None else max_depth
        self.numbers = 1  # that the tree holds
        self.middle = 0.0 if classes else float(np.average(rows.target, weights=rows.weight))
        root = GrowingNode(rows, (), 1.0, self._stats(rows).sum(axis=0), rows)
        self.nodes = [root]
        self.expanded: list[int] = []  # in the order of their expansion
        self._spread = max(self._loss(root), 1e-30)

    def run(self) -> None:
        """Expand until the limit, or until every leaf is pure or cannot be split."""
        queue, known = [(0.0, 0)], 1
        while queue and len(self.expanded) + 1 < self.max_leaves and self.numbers <= self.most:
            self._expand(heappop(queue)[1])
            for i in range(known, len(self.nodes)):
                heappush(queue, (-self._priority(self.nodes[i]), i))
            known = len(self.nodes)

    def _priority(self, node: GrowingNode) -> float:
        """Reach x (1 - fidelity)."""
        return node.reach * self._loss(node)

    def _loss(self, node: GrowingNode) -> float:
        s = node.stats
        if self.classes:
            return float(1 - s.max() / s.sum()) if s.sum() > 0 else 0.0
        return float(max(s[2] / s[0] - (s[1] / s[0]) ** 2, 0.0)) if s[0] > 0 else 0.0

    def _stats(self, some: Instances) -> Matrix:
        if self.classes:
            return statistics(some.target, some.weight, self.classes)
        centred = some.target - self.middle
        return np.column_stack([some.weight, some.weight * centred, some.weight * centred**2])

    def _expand(self, i: int) -> None:
        node = self.nodes[i]
        sample = node.rows
        if self.more is not None:
            drawn = self.more(node, self.nodes)
            sample = sample + drawn
        if not len(sample):
            sample = node.sample
        if len(sample) > _MOST_INSTANCES:
            kept = self.rng.choice(len(sample), _MOST_INSTANCES, replace=False)
            sample = sample[np.sort(kept)]
        stats = self._stats(sample)
        node.sample, node.stats, node.closed = sample, stats.sum(axis=0), True
        if len(sample) < self.min_instances or self._loss(node) <= 1e-9 * self._spread:
            return
        if len(node.path) >= self.max_depth or len(node.rows) < 2 * self.min_rows > 2:
            return
        seen = sample.values
        if self.hidden is not None:
            seen = np.where(self.hidden, 0.0, seen)
        table = literal_table(self.features, seen, stats, self.classes)
        if self.min_rows > 1:
            held = np.array([c.holds(node.rows.values).sum() for c in table.clauses])
            kept = np.flatnonzero(np.minimum(held, len(node.rows) - held) >= self.min_rows)
            table = LiteralTable(
                table.column[kept], table.truth[:, kept], [table.clauses[i] for i in kept.tolist()]
            )
        found = best_test(table, stats, self.classes, self.beam)
        if found is None or self._small(found[0], node.rows):
            return
        node.test = found[0].settled(np.vstack([sample.values, node.rows.values]))
        self.expanded.append(i)
        self.numbers += node.test.numbers + 1  # and one leaf more
        goes, own = node.test.holds(sample.values), node.test.holds(node.rows.values)
        for passed in (True, False):
            there = goes if passed else ~goes
            share = float(sample.weight[there].sum() / sample.weight.sum())
            node.children.append(len(self.nodes))
            self.nodes.append(
                GrowingNode(
                    node.rows[own if passed else ~own], (*node.path, (node.test, passed)),
                    node.reach * share, stats[there].sum(axis=0), sample[there], parent=i,
                )
            )  # fmt: skip

    def _small(self, test: CountTest, rows: Instances) -> bool:
        """Whether too few of the user's rows pass a test, or fail it."""
        passed = int(test.holds(rows.values).sum()) if self.min_rows > 1 else 0
        return self.min_rows > 1 and min(passed, len(rows) - passed) < self.min_rows

    def values(self) -> Matrix:
        """Class fractions, or the mean, of each node, shape (nodes, k)."""
        s = np.stack([n.stats for n in self.nodes])
        if self.classes:
            return np.asarray(s / s.sum(axis=1, keepdims=True))
        return self.middle + s[:, 1:2] / s[:, :1]
