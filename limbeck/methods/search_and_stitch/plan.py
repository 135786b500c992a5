"""A tree under construction, as nested literals, and its way from and to a student's nodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.task import Task
from limbeck.methods.search_and_stitch.literals import Literal, Literals
from limbeck.methods.search_and_stitch.sample import Index, Sample
from limbeck.students.tree.nodes import Nodes

__all__ = ["PlannedTree", "literals_of", "nodes_of", "plan_of"]


@dataclass(frozen=True)
class PlannedTree:
    """A leaf, or a literal with two branches: rows where it is true go left."""

    literal: int = -1
    left: PlannedTree | None = None
    right: PlannedTree | None = None

    @property
    def leaves(self) -> int:
        """Number of leaves."""
        if self.left is None or self.right is None:
            return 1
        return self.left.leaves + self.right.leaves


def literals_of(nodes: Nodes) -> list[Literal]:
    """Every question that a tree asks."""
    return [_literal(nodes, i) for i in range(len(nodes)) if nodes.feature[i] >= 0]


def plan_of(nodes: Nodes, literals: Literals, at: int = 0, first: int | None = None) -> PlannedTree:
    """A tree's nodes as a plan.

    Parameters
    ----------
    nodes : Nodes
        The tree.
    literals : Literals
        All its questions are among these.
    at : int
        The node to start from.
    first : int, optional
        Only so many of the nodes are kept. Of a tree grown best first the first 2 m - 1 are the
        tree of m leaves.
    """
    most = len(nodes) if first is None else first
    if nodes.feature[at] < 0 or int(nodes.left[at]) >= most or int(nodes.right[at]) >= most:
        return PlannedTree()
    left = plan_of(nodes, literals, int(nodes.left[at]), first)
    right = plan_of(nodes, literals, int(nodes.right[at]), first)
    return PlannedTree(literals.position[_literal(nodes, at)], left, right)


def nodes_of(
    plan: PlannedTree,
    sample: Sample,
    answers: NDArray[Any],
    weight: NDArray[np.float64],
    task: Task,
) -> Nodes:
    """A plan as nodes, valued by the weighted answers (n,) of the sample rows that arrive.

    Values are class shares, of shape (m, k), or means, of shape (m, 1).

    Parameters
    ----------
    plan : PlannedTree
        The tree.
    sample : Sample
        Rows and literals.
    answers : ndarray of shape (n,)
        Class indices, or values.
    weight : ndarray of shape (n,)
        How much each row counts.
    task : Task
        What is predicted.
    """
    out: list[tuple[int, int, float, bool, int, int, NDArray[np.float64], float]] = []
    k = len(task.classes)

    def visit(plan: PlannedTree, rows: Index) -> int:
        here, total = len(out), float(weight[rows].sum())
        if k:
            value = np.bincount(answers[rows], weight[rows], k) / total
        else:
            value = np.array([np.average(answers[rows], weights=weight[rows])])
        out.append((-1, 0, 0.0, False, -1, -1, value, total))
        if plan.left is not None and plan.right is not None:
            q = sample.literals.items[plan.literal]
            inside = sample.truth[plan.literal, rows]
            left, right = visit(plan.left, rows[inside]), visit(plan.right, rows[~inside])
            out[here] = (q.feature, q.op, q.threshold, q.missing_left, left, right, value, total)
        return here

    visit(plan, np.arange(len(sample), dtype=np.int64))
    f, op, threshold, missing, left, right, value, total = map(np.array, zip(*out, strict=True))
    return Nodes(f, op, threshold, missing, left, right, value, total)


def _literal(nodes: Nodes, i: int) -> Literal:
    return Literal(
        int(nodes.feature[i]),
        int(nodes.op[i]),
        float(nodes.threshold[i]),
        bool(nodes.missing_left[i]),
    )
