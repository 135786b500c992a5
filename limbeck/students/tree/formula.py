"""A tree as a formula: the number of a leaf, by nested questions."""

from __future__ import annotations

from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.students.formula import (
    Any,
    AtMost,
    ColumnValue,
    Constant,
    Expression,
    Formula,
    If,
    Is,
    Missing,
    Test,
)
from limbeck.students.tree.nodes import EQ, MISSING, Nodes

__all__ = ["formula"]


def formula(nodes: Nodes, features: Features, task: Task) -> Formula:
    """Which leaf a row reaches, and the values of the leaves.

    Parameters
    ----------
    nodes : Nodes
        A sound tree.
    features : Features
        Its columns.
    task : Task
        What it predicts.
    """
    order = nodes.preorder()
    number = {i: at for at, i in enumerate(j for j in order if nodes.feature[j] < 0)}
    made: dict[int, Expression] = {}
    for i in reversed(order):  # children before their parent
        if i in number:
            made[i] = Constant(float(number[i]))
        else:
            made[i] = If(_question(nodes, i), made[int(nodes.left[i])], made[int(nodes.right[i])])
    table = nodes.value[list(number)]
    return Formula(features, task, (made[0],), "shares" if task.classifies else "value", table)


def _question(nodes: Nodes, i: int) -> Test:
    column, threshold = int(nodes.feature[i]), float(nodes.threshold[i])
    if nodes.op[i] == MISSING:
        return Missing(column)
    left: Test = (
        Is(column, threshold) if nodes.op[i] == EQ else AtMost(ColumnValue(column), threshold)
    )
    return Any((left, Missing(column))) if nodes.missing_left[i] else left
