"""Trees whose answer only rises, or only falls, with some columns, everywhere and not only on rows.

Two leaves are in order by a column if rows of one can become rows of the other by raising that
column alone: their boxes share a cell in all other columns. A tree is monotone if and only if the
values of all such pairs are in order. Values that are not are replaced by the nearest that are: the
isotonic regression over this partial order, which has the least squared error and, cut at one half,
the least misclassification of all monotone values at once (Robertson, Wright and Dykstra 1988).
Bounds passed down from split to split, as scikit-learn keeps them, are stricter: they also hold
apart leaves that no single column leads from one to the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from limbeck.core.task import Task
from limbeck.methods.search_and_stitch.arrivals import Arrivals
from limbeck.methods.search_and_stitch.costs import Cost, gini, log_loss, misclassification
from limbeck.methods.search_and_stitch.plan import PlannedTree
from limbeck.methods.search_and_stitch.pool import Pool
from limbeck.methods.search_and_stitch.sample import Index
from limbeck.students.tree.apply import walker
from limbeck.students.tree.nodes import LE, MISSING, Nodes

__all__ = ["MonotoneTrees", "in_order", "isotonic", "leaf_order"]

Array = NDArray[np.float64]
_ROUNDING = 1e-12


@dataclass(frozen=True)
class MonotoneTrees:
    """Plans as monotone trees, and what these cost on a sample.

    Parameters
    ----------
    pool : Pool
        Its n rows and questions, and the cost by which trees are compared.
    direction : ndarray of shape (d,), int
        1, -1 or 0 for each column.
    arrivals : Arrivals
        The answers: class indices of two classes, or values.
    task : Task
        What is predicted.
    """

    pool: Pool
    direction: NDArray[np.int64]
    arrivals: Arrivals
    task: Task
    _made: dict[PlannedTree, tuple[Nodes, Nodes]] = field(default_factory=dict, repr=False)

    def nodes(self, plan: PlannedTree, values: Array | None = None) -> Nodes:
        """A plan as a monotone tree.

        Parameters
        ----------
        plan : PlannedTree
            The tree.
        values : ndarray of shape (m, d), optional
            Encoded rows between which thresholds are put first, since that moves boxes.
        """
        free, kept = self._both(plan)
        return kept if values is None else in_order(free.settled(values), self.direction)

    def said(self, plan: PlannedTree, values: Array) -> Array:
        """What the monotone tree says of other rows, (m, k) or (m, 1).

        Parameters
        ----------
        plan : PlannedTree
            The tree.
        values : ndarray of shape (m, d)
            Encoded rows.
        """
        nodes = self.nodes(plan)
        find, leaves = walker(nodes)
        return np.asarray(nodes.value[leaves[find(values)]])

    def loss(self, plan: PlannedTree, rows: Index | None = None) -> float:
        """The cost of the monotone tree on the sample, in the units of the pool.

        Parameters
        ----------
        plan : PlannedTree
            The tree.
        rows : ndarray of int, optional
            Positions in the sample; by default all.
        """
        free, kept = self._both(plan, rows)
        loss = self.pool.cost_of(plan, rows)
        if kept is free:
            return loss
        leaf = free.is_leaf
        total, own, said = free.weight[leaf], free.value[leaf, -1], kept.value[leaf, -1]
        if self.task.classifies:
            cost = self.pool.cost
            more = _class_cost(cost, total, own, said) - _class_cost(cost, total, own, own)
            return loss + float(more.sum())
        return loss + float(self._unit * (total @ (said - own) ** 2))

    def best(self, *families: Sequence[PlannedTree]) -> list[PlannedTree]:
        """Of several trees of at most 1, 2, ... leaves the one of the least cost at each size.

        Splits whose two leaves say the same once their values are in order are taken back.

        Parameters
        ----------
        *families : sequence of PlannedTree
            Each with as many sizes.
        """
        plans = {self._shorter(plan) for family in families for plan in family}
        least, best, out = np.inf, PlannedTree(), []
        for size in range(1, len(families[0]) + 1):
            for plan in sorted((p for p in plans if p.leaves == size), key=repr):
                loss = self.loss(plan)
                if loss < least - self.pool.least:
                    least, best = loss, plan
            out.append(best)
        return out

    def _both(self, plan: PlannedTree, rows: Index | None = None) -> tuple[Nodes, Nodes]:
        """A plan as a tree of any values, and in order; of all rows each plan is made once."""
        if rows is not None:
            free = self.arrivals.of(rows).nodes(plan)
            return free, in_order(free, self.direction)
        if plan not in self._made:
            free = self.arrivals.nodes(plan)
            self._made[plan] = free, in_order(free, self.direction)
        return self._made[plan]

    @cached_property
    def _unit(self) -> float:
        """What the pool counts a squared error of values as."""
        answers, weight = self.arrivals.answers, self.arrivals.weight
        spread = weight @ (answers - np.average(answers, weights=weight)) ** 2
        return self.pool.leaf_cost(self.pool.root) / max(float(spread), 1e-300)

    def _shorter(self, plan: PlannedTree) -> PlannedTree:
        """The plan without splits between leaves that say the same."""
        while True:
            nodes = self.nodes(plan)
            said: NDArray[Any] = nodes.value[:, -1]
            if self.pool.cost is misclassification:
                said = nodes.value.argmax(axis=1)
            after, _ = _joined(plan, said)
            if after == plan:
                return plan
            plan = after


def in_order(nodes: Nodes, direction: NDArray[np.int64]) -> Nodes:
    """The same tree with the nearest monotone values in its leaves.

    Parameters
    ----------
    nodes : Nodes
        A tree of values, or of shares of two classes.
    direction : ndarray of shape (d,), int
        1 where the value, or the share of the second class, may only rise with the column, -1 where
        only fall, else 0.
    """
    pairs = leaf_order(nodes, direction)
    value: Array = nodes.value[:, -1].copy()
    if not len(pairs) or (value[pairs[:, 0]] <= value[pairs[:, 1]]).all():
        return nodes
    leaf = np.flatnonzero(nodes.is_leaf)
    at = np.empty(len(nodes), dtype=np.int64)
    at[leaf] = np.arange(len(leaf))
    value[leaf] = isotonic(value[leaf], nodes.weight[leaf], at[pairs])
    for i in reversed(nodes.preorder()):
        if nodes.feature[i] >= 0:
            one, two = nodes.left[i], nodes.right[i]
            a, b = nodes.weight[one], nodes.weight[two]
            value[i] = (value[one] * a + value[two] * b) / (a + b)
    both = np.column_stack([1 - value, value]) if nodes.value.shape[1] == 2 else value[:, None]
    return replace(nodes, value=both)


def isotonic(value: Array, weight: Array, pairs: Index) -> Array:
    """The values nearest by weighted squares of which no first of a pair is above its second.

    The dual of the quadratic programme is a non-negative least squares problem (Lawson and Hanson
    1974).

    Parameters
    ----------
    value, weight : ndarray of shape (m,)
        Values, and how much each counts.
    pairs : ndarray of shape (p, 2), int
        Positions.
    """
    root = np.sqrt(weight / weight.mean())
    middle = np.average(value, weights=weight)
    y = value - middle
    A = np.zeros((len(pairs), len(value)))
    every = np.arange(len(pairs))
    A[every, pairs[:, 0]], A[every, pairs[:, 1]] = -1.0, 1.0
    force, _ = nnls((A / root).T, -root * y, maxiter=30 * max(A.shape))
    out: Array = middle + y + (force @ A) / root**2
    while (out[pairs[:, 0]] > out[pairs[:, 1]]).any():  # what rounding left
        np.maximum.at(out, pairs[:, 1], out[pairs[:, 0]])
    return out


def leaf_order(nodes: Nodes, direction: NDArray[np.int64]) -> Index:
    """Pairs of leaves of which the first must not be above the second, shape (p, 2).

    Parameters
    ----------
    nodes : Nodes
        The tree.
    direction : ndarray of shape (d,), int
        As in `in_order`.
    """
    leaves = nodes.is_leaf
    asked = sorted(set(nodes.feature[~leaves].tolist()))
    ruled = [j for j in asked if direction[j]]
    if not ruled:
        return np.zeros((0, 2), dtype=np.int64)
    leaf = np.flatnonzero(leaves)
    boxes = {j: box[leaf] for j, box in _cells(nodes, asked).items()}
    # float64 counts such parts exactly, and its products are those of BLAS
    meet = {j: (parts @ parts.T) > 0 for j, box in boxes.items()
            for parts in [box.astype(np.float64)]}  # fmt: skip
    ordered = np.zeros((len(leaf), len(leaf)), dtype=np.bool_)
    for j in ruled:
        others = np.logical_and.reduce([meet[other] for other in asked if other != j], axis=0)
        present = boxes[j][:, :-1]
        some, n = present.any(axis=1), present.shape[1]
        least = np.where(some, present.argmax(axis=1), n)
        most = np.where(some, n - 1 - present[:, ::-1].argmax(axis=1), -1)
        pairs = others & (least[:, None] < most[None, :])
        ordered |= pairs if direction[j] > 0 else pairs.T
    np.fill_diagonal(ordered, val=False)
    first, second = np.nonzero(ordered)
    return np.column_stack([leaf[first], leaf[second]])


def _cells(nodes: Nodes, columns: list[int]) -> dict[int, NDArray[np.bool_]]:
    """Which parts of each column reach each node, (nodes, parts); the last part is missing values.

    The parts are those between the thresholds that the tree asks about, or the levels that it asks
    about and all others.
    """
    marks, at, end = {}, {}, 0
    for j in columns:
        marks[j] = np.unique(nodes.threshold[(nodes.feature == j) & (nodes.op != MISSING)])
        at[j] = slice(end, end + len(marks[j]) + 2)
        end = at[j].stop
    out = np.zeros((len(nodes), end), dtype=np.bool_)
    out[0] = True
    for i in nodes.preorder():
        j = int(nodes.feature[i])
        if j < 0:
            continue
        goes = np.zeros(len(marks[j]) + 2, dtype=np.bool_)
        goes[-1] = nodes.op[i] == MISSING or nodes.missing_left[i]
        if nodes.op[i] != MISSING:
            here = int(np.searchsorted(marks[j], nodes.threshold[i]))
            goes[slice(0, here + 1) if nodes.op[i] == LE else slice(here, here + 1)] = True
        left, right = nodes.left[i], nodes.right[i]
        out[left] = out[right] = out[i]
        out[left, at[j]] &= goes
        out[right, at[j]] &= ~goes
    return {j: out[:, at[j]] for j in columns}


def _class_cost(cost: Cost, total: Array, own: Array, said: Array) -> Array:
    """Cost of leaves that hold a share of the second class and say another."""
    if cost is gini:
        return np.asarray(2 * total * (own * (1 - own) + (said - own) ** 2))
    if cost is log_loss:
        sure = np.clip(said, _ROUNDING, 1 - _ROUNDING)
        return np.asarray(-total * (own * np.log(sure) + (1 - own) * np.log1p(-sure)))
    return np.asarray(total * np.where(said > 0.5, 1 - own, own))


def _joined(plan: PlannedTree, said: NDArray[Any], at: int = 0) -> tuple[PlannedTree, int]:
    """The plan with a leaf for two leaves that say the same, and where its nodes in order end."""
    if plan.left is None or plan.right is None:
        return plan, at + 1
    left, middle = _joined(plan.left, said, at + 1)
    right, end = _joined(plan.right, said, middle)
    if plan.left.leaves == plan.right.leaves == 1 and said[at + 1] == said[middle]:
        return PlannedTree(), end
    return replace(plan, left=left, right=right), end
