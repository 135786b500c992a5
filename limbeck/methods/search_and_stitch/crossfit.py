"""Cross-fitting: what a tree is worth is judged on rows that it was not grown on.

What was drawn near the rows of a fold belongs to it; see `limbeck.data.splits.split_folds`.
"""

from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Features, Rows
from limbeck.core.task import Task
from limbeck.methods.search_and_stitch.best_first import best_first
from limbeck.methods.search_and_stitch.binned import BinnedRows
from limbeck.methods.search_and_stitch.costs import COSTS, row_statistics
from limbeck.methods.search_and_stitch.literals import Literals, grid
from limbeck.students.tree.apply import walker
from limbeck.students.tree.greedy import grow
from limbeck.students.tree.nodes import LE, Nodes

__all__ = [
    "GreedyTrees",
    "cut_back",
    "greedy",
    "inside",
    "losses_by_size",
    "row_losses",
]

_EXACT, _FINE = 1_000_000, 50
_SUMS = 1_000_000  # thresholds times classes, of all columns together, at a node
_THRESHOLDS = 4000  # of all columns together, where trees are only compared
Index = NDArray[np.int64]


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
    out, losses = np.empty((most, len(values))), row_losses(nodes.value[at], answers, task)
    out[nodes.size - 1 :] = losses
    for leaves_kept in range(nodes.size - 1, 0, -1):  # two leaves at a time become their parent
        moved = np.flatnonzero(at >= 2 * leaves_kept - 1)
        at[moved] = parent[at[moved]]
        losses[moved] = row_losses(nodes.value[at[moved]], answers[moved], task)
        out[leaves_kept - 1 : leaves_kept] = losses
    return out


def cut_back(nodes: Nodes, leaves: int) -> Nodes:
    """The tree of at most so many leaves within one grown best first.

    Parameters
    ----------
    nodes : Nodes
        In the order in which they were grown.
    leaves : int
        The most leaves.
    """
    first = slice(0, 2 * leaves - 1)
    inner = (nodes.feature[first] >= 0) & (nodes.left[first] < first.stop)
    inner &= nodes.right[first] < first.stop
    return Nodes(
        np.where(inner, nodes.feature[first], -1), np.where(inner, nodes.op[first], LE),
        np.where(inner, nodes.threshold[first], 0.0), inner & nodes.missing_left[first],
        np.where(inner, nodes.left[first], -1), np.where(inner, nodes.right[first], -1),
        nodes.value[first], nodes.weight[first],
    )  # fmt: skip


class GreedyTrees:
    """Greedy trees on parts of the same rows, which are put into bins once.

    Parameters
    ----------
    rows : Rows
        Of n rows.
    answers : ndarray of shape (n,)
        The teacher's answers there.
    task : Task
        What the answers are.
    """

    def __init__(self, rows: Rows, answers: NDArray[Any], task: Task) -> None:
        self.rows, self.answers, self.task = rows, answers, task
        literals = Literals(grid(rows.features, rows.values, limit=_THRESHOLDS))
        self._cost = COSTS["gini" if task.classifies else "squared_error"]
        self._binned = BinnedRows(literals, rows.values, self._stats(answers))

    def with_rows(self, rows: Rows, answers: NDArray[Any]) -> GreedyTrees:
        """The same with more rows, which come after these.

        Parameters
        ----------
        rows : Rows
            Of m rows.
        answers : ndarray of shape (m,)
            The teacher's answers there.
        """
        out = copy(self)
        out.answers = np.concatenate([self.answers, answers])
        out._binned = self._binned.with_rows(rows.values, self._stats(out.answers))
        return out

    def losses(
        self,
        kept: Index,
        weight: NDArray[np.float64],
        judged: Rows,
        truth: NDArray[Any],
        most: int,
    ) -> NDArray[np.float64]:
        """Losses of trees of 1 ... ``most`` leaves on rows left out, of shape (most, j).

        Parameters
        ----------
        kept : ndarray of shape (m,), int
            The rows to grow on.
        weight : ndarray of shape (m,)
            How much each counts.
        judged : Rows
            The rows left out, j of them.
        truth : ndarray of shape (j,)
            The teacher's answers there.
        most : int
            The largest tree.
        """
        task, target = self.task, self.answers[kept]
        data = self._binned.part_of(kept, row_statistics(target, task, weight))
        every = np.arange(len(kept))
        nodes = best_first(data, every, self._cost, target, weight, len(task.classes), most)
        return losses_by_size(nodes, judged.values, truth, task, most)

    def _stats(self, answers: NDArray[Any]) -> NDArray[np.float32]:
        return row_statistics(answers, self.task, np.ones(len(answers)))


def greedy(
    features: Features,
    values: NDArray[np.float64],
    answers: NDArray[Any],
    weight: NDArray[np.float64],
    task: Task,
    leaves: int,
    ordered: list[NDArray[np.float64]] | None = None,
) -> Nodes:
    """A tree of at most so many leaves, by Gini impurity or squared error.

    scikit-learn's, which tries every threshold; of very many numbers one of 50 thresholds a
    column, or fewer where there are very many columns and classes, which takes a tenth of the time.

    Parameters
    ----------
    features : Features
        The d columns.
    values : ndarray of shape (n, d)
        Encoded rows.
    answers, weight : ndarray of shape (n,)
        Class indices or values, and how much each counts.
    task : Task
        What the answers are.
    leaves : int
        The most leaves.
    ordered : list of ndarray, optional
        What `limbeck.methods.search_and_stitch.literals.sorted_columns` says of the values.
    """
    criterion = "gini" if task.classifies else "squared_error"
    if values.size > _EXACT:
        most = _SUMS // max(len(task.classes), 1)
        literals = Literals(grid(features, values, most, _FINE, ordered))
        data = BinnedRows(literals, values, row_statistics(answers, task, weight))
        return best_first(
            data, np.arange(len(values)), COSTS[criterion], answers, weight, len(task.classes),
            leaves,
        )  # fmt: skip
    return grow(
        features, values, answers, weight, classes=len(task.classes), max_leaves=leaves,
        criterion=criterion,
    )  # fmt: skip
