"""A tree of m-of-n tests as a formula: the position of a node."""

from __future__ import annotations

from collections.abc import Sequence

from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.students.formula import AtLeast, Constant, Expression, Formula, If, Test
from limbeck.students.m_of_n.count_tests import CountTest
from limbeck.students.rules.formula import clause_test
from limbeck.students.tree.nodes import Nodes

__all__ = ["formula"]


def formula(
    tests: Sequence[CountTest | None], nodes: Nodes, features: Features, task: Task
) -> Formula:
    """Which leaf a row reaches, and the values of the nodes.

    Parameters
    ----------
    tests : sequence of CountTest or None
        What each node asks; None for leaves.
    nodes : Nodes
        Their children and values.
    features, task
        The columns, and what is predicted.
    """
    made: dict[int, Expression] = {}
    for i in reversed(nodes.preorder()):  # children before their parent
        asked = tests[i]
        if asked is None:
            made[i] = Constant(float(i))
        else:
            left, right = made[int(nodes.left[i])], made[int(nodes.right[i])]
            made[i] = If(_test(asked), left, right)
    return Formula(
        features, task, (made[0],), "shares" if task.classifies else "value", nodes.value
    )


def _test(asked: CountTest) -> Test:
    literals = tuple(clause_test(literal) for literal in asked.literals)
    return literals[0] if len(literals) == 1 else AtLeast(asked.m, literals)
