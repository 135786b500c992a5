"""A table over few columns as a formula: the number of a cell."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.students.formula import (
    ColumnValue,
    Constant,
    Expression,
    Formula,
    If,
    Missing,
    Product,
    Sum,
    stepped,
)
from limbeck.students.junta.table import CellTable

__all__ = ["formula"]


def formula(table: CellTable, features: Features, task: Task) -> Formula:
    """Which cell a row lies in, and the values of the cells.

    Parameters
    ----------
    table : CellTable
        The junta's table.
    features : Features
        Its columns.
    task : Task
        What it predicts.
    """
    parts: list[Expression] = [Constant(0.0)]
    stride = int(np.prod(table.levels))
    for j, edges, count in zip(table.variables, table.edges, table.levels, strict=True):
        stride //= count
        at = _level(j, edges, features)
        missing = If(Missing(j), Constant(float(count - 1)), at)
        parts.append(Product(missing, float(stride)))
    scores = (Sum(tuple(parts)),)
    return Formula(features, task, scores, "shares" if task.classifies else "value", table.value)


def _level(j: int, edges: NDArray[np.float64], features: Features) -> Expression:
    if features.columns[j].kind == "numeric":
        at = [Constant(float(i)) for i in range(len(edges) + 1)]
        return stepped(ColumnValue(j), edges.tolist(), at)
    return ColumnValue(j)  # a boolean or a category is its own level
