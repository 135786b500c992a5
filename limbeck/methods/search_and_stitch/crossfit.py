"""Cross-fitting: what a tree is worth is judged on rows that it was not grown on.

Rows fall into folds, equal rows into one; what was drawn near the rows of a fold belongs to it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Features, Rows
from limbeck.core.contract import Task
from limbeck.students.tree.apply import walker
from limbeck.students.tree.greedy import grow
from limbeck.students.tree.nodes import Nodes

__all__ = ["FOLDS", "greedy_losses", "inside", "losses_by_size", "row_losses", "split_folds"]

FOLDS = 5
Index = NDArray[np.int64]


def split_folds(rows: Rows, rng: np.random.Generator, folds: int = FOLDS) -> Index:
    """A fold for every row, of shape (n,); equal rows share one.

    Parameters
    ----------
    rows : Rows
        Of n rows.
    rng : numpy.random.Generator
        Deals them out.
    folds : int
        How many there are.
    """
    _, group = np.unique(rows.values, axis=0, return_inverse=True, equal_nan=True)
    group = group.reshape(-1)
    dealt = rng.permutation(int(group.max()) + 1) % folds
    return np.asarray(dealt[group], dtype=np.int64)


def inside(fold: Index, sources: Index, at: int) -> NDArray[np.bool_]:
    """Whether any source (n, s) of a query lies in a fold.

    Parameters
    ----------
    fold : ndarray of int, shape (n,)
        The fold of each row.
    sources : ndarray of int, shape (q, s)
        The rows that each query was made from.
    at : int
        The fold.
    """
    return np.asarray((fold[sources] == at).any(axis=1))


def row_losses(values: NDArray[Any], answers: NDArray[Any], task: Task) -> NDArray[np.float64]:
    """Loss of each row: disagreement, or the squared error.

    Parameters
    ----------
    values : ndarray of shape (..., n, k)
        What the leaves say: class shares, or means (k = 1).
    answers : ndarray of shape (n,)
        Class indices or values.
    task : Task
        What they are.
    """
    if task.classifies:
        return np.asarray(values.argmax(axis=-1) != answers, dtype=np.float64)
    return np.asarray((values[..., 0] - answers) ** 2)


def losses_by_size(
    nodes: Nodes, values: NDArray[np.float64], answers: NDArray[Any], task: Task, most: int
) -> NDArray[np.float64]:
    """Losses of a best-first tree cut back to 1 ... ``most`` leaves, of shape (most, n).

    A tree grown best first holds all smaller ones: its first 2 m - 1 nodes are that of m leaves.

    Parameters
    ----------
    nodes : Nodes
        In the order in which they were grown, as from :func:`limbeck.students.tree.greedy.grow`.
    values : ndarray of shape (n, d)
        Encoded rows.
    answers : ndarray of shape (n,)
        The teacher's answers on them.
    task : Task
        What they are.
    most : int
        The largest tree.
    """
    find, leaves = walker(nodes)
    at = leaves[find(values)]
    parent = np.zeros(len(nodes), dtype=np.int64)
    for side in (nodes.left, nodes.right):
        inner = nodes.feature >= 0
        parent[side[inner]] = np.flatnonzero(inner)
    out = np.empty((most, len(values)))
    for leaves_kept in range(1, most + 1):
        up = np.arange(len(nodes))
        for node in range(2 * leaves_kept - 1, len(nodes)):
            up[node] = up[parent[node]]
        out[leaves_kept - 1] = row_losses(nodes.value[up[at]], answers, task)
    return out


def greedy_losses(
    rows: Rows,
    answers: NDArray[Any],
    weight: NDArray[np.float64],
    judged: Rows,
    truth: NDArray[Any],
    task: Task,
    most: int,
) -> NDArray[np.float64]:
    """Losses of greedy trees of 1 ... ``most`` leaves on rows left out, of shape (most, m).

    Parameters
    ----------
    rows : Rows
        To grow on, n of them.
    answers, weight : ndarray of shape (n,)
        The teacher's answers there, and how much each counts.
    judged : Rows
        The rows left out, m of them.
    truth : ndarray of shape (m,)
        The teacher's answers there.
    task : Task
        What the answers are.
    most : int
        The largest tree.
    """
    nodes = greedy(rows.features, rows.values, answers, weight, task, most)
    return losses_by_size(nodes, judged.values, truth, task, most)


def greedy(
    features: Features,
    values: NDArray[np.float64],
    answers: NDArray[Any],
    weight: NDArray[np.float64],
    task: Task,
    leaves: int,
) -> Nodes:
    """scikit-learn's tree of at most so many leaves, by Gini impurity or squared error."""
    return grow(
        features,
        values,
        answers,
        weight,
        classes=len(task.classes),
        max_leaves=leaves,
        criterion="gini" if task.classifies else "squared_error",
    )
