"""A sum of terms as a formula."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.students.formula import (
    All,
    AtMost,
    Constant,
    Expression,
    Filled,
    Formula,
    If,
    Is,
    Missing,
    Not,
    Positive,
    Product,
    Sum,
    Test,
)
from limbeck.students.sparse_sum.model import TermWeights
from limbeck.students.sparse_sum.terms import SumTerm, TermTest

__all__ = ["formula"]


def formula(
    found: TermWeights,
    fill: NDArray[np.float64],
    per_unit: float,
    features: Features,
    task: Task,
) -> Formula:
    """The sums, with their weights as they are.

    Parameters
    ----------
    found : TermWeights
        Terms and weights.
    fill : ndarray of shape (d,)
        What a missing number counts as.
    per_unit : float
        How much log-odds one unit of a sum is.
    features : Features
        The columns.
    task : Task
        What is predicted.
    """
    scores = []
    for c, start in enumerate(found.intercept):
        parts: list[Expression] = [Constant(float(start))]
        for term, weights in zip(found.terms, found.weights, strict=True):
            if weights[c]:
                parts.append(_weighted(term, float(weights[c]), fill))
        total: Expression = Sum(tuple(parts))
        scores.append(total if per_unit == 1.0 else Product(total, per_unit))
    if not task.classifies:
        return Formula(features, task, tuple(scores), "value")
    return Formula(features, task, tuple(scores), "softmax" if len(scores) > 1 else "logistic")


def _weighted(term: SumTerm, weight: float, fill: NDArray[np.float64]) -> Expression:
    if term.kind == "all":
        tests = tuple(_test(t, fill) for t in term.tests)
        return If(All(tests), Constant(weight), Constant(0.0))
    x: Expression = Filled(term.column, float(fill[term.column]))
    if term.kind == "above":
        x = Positive(Sum((x, Constant(-term.threshold))))
    elif term.kind == "below":
        x = Positive(Sum((Constant(term.threshold), Product(x, -1.0))))
    if term.per != 1.0:
        x = Product(x, term.per, divide=True)
    return Product(x, weight)


def _test(t: TermTest, fill: NDArray[np.float64]) -> Test:
    if t.op in ("missing", "present"):
        missing = Missing(t.column)
        return missing if t.op == "missing" else Not(missing)
    if t.op in ("is", "is not"):
        filled = float(fill[t.column])
        level: Test = Is(t.column, t.value)
        if filled == t.value:  # a missing boolean counts as its median
            level = Not(All((Not(level), Not(Missing(t.column)))))
        return level if t.op == "is" else Not(level)
    low = AtMost(Filled(t.column, float(fill[t.column])), t.value)
    return low if t.op == "<=" else Not(low)
