"""An additive student as a formula: what the bin of each column, or of each pair, adds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.students.additive.bins import Bins
from limbeck.students.additive.boosting import Terms
from limbeck.students.formula import (
    ColumnValue,
    Constant,
    Expression,
    Formula,
    If,
    Is,
    Missing,
    Sum,
    stepped,
)

__all__ = ["formula"]


def formula(terms: Terms, bins: Bins, features: Features, task: Task) -> Formula:
    """The sums of contributions.

    Parameters
    ----------
    terms : Terms
        What each bin adds.
    bins : Bins
        How columns are cut.
    features : Features
        The columns.
    task : Task
        What is predicted.
    """
    intercept = np.atleast_1d(terms.intercept)
    scores = []
    for c, start in enumerate(intercept):
        parts: list[Expression] = [Constant(float(start))]
        for at, table in zip(terms.columns, terms.tables, strict=True):
            own = table[..., c] if np.ndim(terms.intercept) else table
            if own.any():
                parts.append(_term(at, own, bins, features))
        scores.append(Sum(tuple(parts)))
    if not task.classifies:
        return Formula(features, task, tuple(scores), "value")
    return Formula(features, task, tuple(scores), "softmax" if len(scores) > 1 else "logistic")


def _term(
    at: Sequence[int], table: NDArray[np.float64], bins: Bins, features: Features
) -> Expression:
    """A number for each bin of the first column, or a term of the others."""
    if not len(at):
        return Constant(float(table))
    j, rest = at[0], at[1:]
    made = [_term(rest, table[b], bins, features) for b in range(len(table))]
    return If(Missing(j), made[-1], _by_bin(j, made, bins, features))


def _by_bin(j: int, made: list[Expression], bins: Bins, features: Features) -> Expression:
    group = bins.groups[j]
    if features.columns[j].kind != "categorical":
        return stepped(ColumnValue(j), bins.edges[j].tolist(), made)
    out = made[-1]
    for level in reversed(range(len(group))):
        out = If(Is(j, float(level)), made[group[level]], out)
    return out
