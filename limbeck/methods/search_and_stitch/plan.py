"""A tree under construction, as nested literals, and its way from and to a student's nodes."""

from __future__ import annotations

from dataclasses import dataclass

from limbeck.methods.search_and_stitch.literals import Literal, Literals
from limbeck.students.tree.nodes import Nodes

__all__ = ["PlannedTree", "literals_of", "plan_of"]


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


def _literal(nodes: Nodes, i: int) -> Literal:
    return Literal(
        int(nodes.feature[i]),
        int(nodes.op[i]),
        float(nodes.threshold[i]),
        bool(nodes.missing_left[i]),
    )
