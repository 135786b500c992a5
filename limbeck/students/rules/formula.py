"""Clauses, and students made of them, as formulas."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.students.formula import (
    All,
    Any,
    AtMost,
    ColumnValue,
    Constant,
    Expression,
    Formula,
    If,
    Is,
    Missing,
    Not,
    Sum,
    Test,
)
from limbeck.students.rules.clause import Clause
from limbeck.students.tree.conditions import Condition

__all__ = ["added", "clause_test", "first"]

_ALWAYS, _NEVER = AtMost(Constant(0.0), 0.0), AtMost(Constant(1.0), 0.0)


def clause_test(clause: Clause) -> Test:
    """Whether all conditions of a clause hold."""
    pairs = zip(clause.columns, clause.conditions, strict=True)
    return _all([_condition(j, c) for j, c in pairs])


def first(
    clauses: Sequence[Clause], value: NDArray[np.float64], features: Features, task: Task
) -> Formula:
    """The first clause that holds decides.

    Parameters
    ----------
    clauses : sequence of r Clause
        In order.
    value : ndarray of shape (r + 1, k)
        What each says; the last is for rows that satisfy none.
    features, task
        The columns, and what is predicted.
    """
    piece: Expression = Constant(float(len(clauses)))
    for i in reversed(range(len(clauses))):
        piece = If(clause_test(clauses[i]), Constant(float(i)), piece)
    return Formula(features, task, (piece,), "shares" if task.classifies else "value", value)


def added(
    clauses: Sequence[Clause], value: NDArray[np.float64], features: Features, task: Task
) -> Formula:
    """The numbers of all clauses that hold are added to the last number.

    Parameters
    ----------
    clauses : sequence of r Clause
        In order.
    value : ndarray of shape (r + 1, 1)
        A number for each, and the first summand.
    features, task
        The columns, and what is predicted.
    """
    parts: list[Expression] = [Constant(float(value[-1, 0]))]
    for clause, number in zip(clauses, value[:, 0], strict=False):
        parts.append(If(clause_test(clause), Constant(float(number)), Constant(0.0)))
    return Formula(features, task, (Sum(tuple(parts)),), "value")


def _condition(j: int, c: Condition) -> Test:
    """One condition; comparisons are of values that are there."""
    missing = Missing(j)
    if not c.present:
        return missing if c.missing else _NEVER
    tests: list[Test] = []
    if c.low > -math.inf:
        tests.append(Not(AtMost(ColumnValue(j), c.low)))
    if c.high < math.inf:
        tests.append(AtMost(ColumnValue(j), c.high))
    if c.codes is not None:
        levels = tuple(Is(j, float(code)) for code in sorted(c.codes))
        tests.append(Any(levels) if levels else _NEVER)
    tests += [Not(Is(j, float(code))) for code in sorted(c.without)]
    if c.missing:
        return Any((missing, _all(tests))) if tests else _ALWAYS
    return _all([Not(missing), *tests])


def _all(tests: Sequence[Test]) -> Test:
    if not tests:
        return _ALWAYS
    return tests[0] if len(tests) == 1 else All(tuple(tests))
