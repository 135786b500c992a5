"""Costs that add over leaves, from sums of the teacher's answers in each leaf.

Every row carries a column of statistics; the statistics of a leaf are the sum over its rows,
first axis: for classes (k, ...) the weight of each class, for regression (3, ...) the sums of
w, w y and w y^2. A cost maps statistics (q, ...) to (...).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.errors import InvalidInput, did_you_mean
from limbeck.core.task import Task

__all__ = ["COSTS", "Cost", "cost_named", "level", "row_statistics"]

Array = NDArray[Any]
Cost = Callable[[Array], Array]
_TINY = 1e-30


def misclassification(s: Array) -> Array:
    """Weight of the rows outside the leaf's majority class."""
    return np.asarray(np.add.reduce(s, axis=0) - np.maximum.reduce(s, axis=0))


def gini(s: Array) -> Array:
    """Weight times Gini impurity (Breiman et al. 1984, chapter 4)."""
    s = np.maximum(s, 0)  # a difference of sums may leave less than nothing
    total = np.add.reduce(s, axis=0)
    squares: Array = np.asarray(np.add.reduce(np.multiply(s, s, out=s), axis=0))
    np.divide(squares, np.maximum(total, _TINY), out=squares)
    np.subtract(total, squares, out=squares)
    return squares


def log_loss(s: Array) -> Array:
    """Weight times entropy in nats: the log loss of the leaf's class shares."""
    s = np.maximum(s, 0)
    total = s.sum(axis=0)
    share = s / np.maximum(total, _TINY)
    return np.asarray(-(s * np.log(np.maximum(share, _TINY))).sum(axis=0))


def squared_error(s: Array) -> Array:
    """Weighted squared deviation from the leaf's mean."""
    out: Array = np.asarray(s[1] * s[1])
    np.divide(out, np.maximum(s[0], _TINY), out=out)
    np.subtract(s[2], out, out=out)
    np.maximum(out, 0.0, out=out)
    return out


def level(stats: Array) -> Any:
    """The share of the second class, or the mean value, of statistics (q, ...); q is 3 for values.

    Parameters
    ----------
    stats : ndarray of shape (q, ...)
        Sums over rows, of two classes or of values.
    """
    return stats[1] / (stats[0] if len(stats) == 3 else stats.sum(axis=0))


COSTS: dict[str, Cost] = {
    "misclassification": misclassification,
    "gini": gini,
    "log_loss": log_loss,
    "squared_error": squared_error,
}


def cost_named(name: str | None, task: Task) -> Cost:
    """The cost of that name; by default misclassification for classes, squared error else.

    Parameters
    ----------
    name : str or None
        The name of the cost.
    task : Task
        What is predicted.

    Raises
    ------
    InvalidInput
        If the name is unknown or does not fit the task.
    """
    if name is None:
        return misclassification if task.classifies else squared_error
    if name not in COSTS:
        raise InvalidInput(f"There is no cost {name!r}.", did_you_mean(name, COSTS))
    if (name == "squared_error") == task.classifies:
        raise InvalidInput(
            f"The cost {name!r} does not fit {'classes' if task.classifies else 'regression'}.",
            "Leave cost=None for the usual one.",
        )
    return COSTS[name]


def row_statistics(answers: Array, task: Task, weight: Array) -> NDArray[np.float32]:
    """Statistics of shape (q, n) from class indices (n,) or values (n,) and weights (n,).

    Parameters
    ----------
    answers : ndarray of shape (n,)
        Class indices, or values.
    task : Task
        What is predicted.
    weight : ndarray of shape (n,)
        How much each row counts.
    """
    if task.classifies:
        classes = np.arange(len(task.classes))[:, None]
        return np.asarray((answers[None, :] == classes) * weight, dtype=np.float32)
    # Centred, so that sums of squares lose no digits in float32.
    y = answers - np.average(answers, weights=weight)
    spread = float(y.std())  # of equal answers only rounding is left, and no digits count
    y = y / spread if spread > 1e-13 * float(np.abs(answers).max()) else np.zeros_like(y)
    return np.stack([weight, weight * y, weight * y * y]).astype(np.float32)
