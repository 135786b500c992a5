"""A tree of tests of one condition each, as an ordinary tree."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from limbeck.students.m_of_n.count_tests import CountTest
from limbeck.students.m_of_n.m_of_n_tree import MOfNTree
from limbeck.students.tree.nodes import EQ, LE, MISSING, Nodes
from limbeck.students.tree.tree import Tree

__all__ = ["plain_tree"]


def plain_tree(tree: MOfNTree, seen: NDArray[np.float64]) -> Tree:
    """The same tree as a `Tree`; where a condition is the contrary of a question, sides change.

    Parameters
    ----------
    tree : MOfNTree
        With one condition at each node.
    seen : ndarray of shape (n, d)
        The encoded rows and instances on which it was found.
    """
    nodes, m = tree.nodes_, len(tree.nodes_)
    feature, op = np.full(m, -1), np.full(m, LE)
    threshold, missing_left, swap = np.zeros(m), np.zeros(m, np.bool_), np.zeros(m, np.bool_)
    for i, asked in enumerate(tree.tests_):
        if asked is None:
            continue
        feature[i], op[i], threshold[i], swap[i] = _question(asked)
        # A missing value fails the condition: it goes where the condition does not hold.
        missing_left[i] = swap[i] and op[i] != MISSING
    left, right = np.where(swap, nodes.right, nodes.left), np.where(swap, nodes.left, nodes.right)
    made = Nodes(
        feature, op, threshold, missing_left, left, right, nodes.value, nodes.weight
    )  # fmt: skip
    return Tree.from_nodes(made, tree.features_, tree.task_, seen)


def _question(asked: CountTest) -> tuple[int, int, float, bool]:
    """Column, kind and threshold of a question, and whether the condition is its contrary."""
    j, c = asked.literals[0].columns[0], asked.literals[0].conditions[0]
    if not c.present:
        return j, MISSING, 0.0, False
    if math.isfinite(c.high):
        return j, LE, c.high, False
    if math.isfinite(c.low):
        return j, LE, c.low, True
    if c.codes is not None:
        return j, EQ, next(iter(c.codes)), False
    if c.without:
        return j, EQ, next(iter(c.without)), True
    return j, MISSING, 0.0, True
