"""Best-first greedy trees over literals (CART, Breiman, Friedman, Olshen and Stone 1984)."""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.methods.search_and_stitch.binned import BinnedRows
from limbeck.methods.search_and_stitch.costs import Cost
from limbeck.methods.search_and_stitch.histograms import Index
from limbeck.students.tree.nodes import Nodes

__all__ = ["best_first"]


def best_first(
    data: BinnedRows,
    rows: Index,
    cost: Cost,
    target: NDArray[Any],
    weight: NDArray[np.float64],
    classes: int,
    max_leaves: int,
) -> Nodes:
    """Grow a tree, at every step by the split that lowers the cost most.

    Parameters
    ----------
    data : BinnedRows
        The literals and the statistics of the rows.
    rows : ndarray of shape (m,), int
        The rows to grow on.
    cost : callable
        Cost of the statistics of a leaf.
    target : ndarray of shape (n,)
        Class indices or values of all rows, for the values of the leaves.
    weight : ndarray of shape (n,)
        Weights of all rows.
    classes : int
        The number of classes; 0 for values.
    max_leaves : int
        The most leaves.

    Returns
    -------
    Nodes
        In the order in which they were grown: the first 2 m - 1 are the tree of m leaves.
    """
    parts: list[Index] = [rows]
    split: dict[int, tuple[int, int, int]] = {}
    queue: list[tuple[float, int, int]] = []
    least = 1e-9 * max(float(weight[rows].sum()), 1e-30)

    def look(i: int) -> None:
        if len(parts[i]) < 2 or not len(data.literals):
            return
        now = float(cost(data.total(parts[i])))
        if now <= least:
            return
        after = data.after_one(parts[i], cost)
        best = int(after.argmin())
        if after[best] < now - least:
            heapq.heappush(queue, (float(after[best]) - now, i, best))

    look(0)
    while queue and len(split) + 1 < max_leaves:
        _, i, literal = heapq.heappop(queue)
        inside = data.bins.true(literal, parts[i])
        split[i] = (literal, len(parts), len(parts) + 1)
        parts += [parts[i][inside], parts[i][~inside]]
        look(len(parts) - 2)
        look(len(parts) - 1)
    return _nodes(data, parts, split, target, weight, classes)


def _nodes(
    data: BinnedRows,
    parts: list[Index],
    split: dict[int, tuple[int, int, int]],
    target: NDArray[Any],
    weight: NDArray[np.float64],
    classes: int,
) -> Nodes:
    asked = [data.literals.items[split[i][0]] if i in split else None for i in range(len(parts))]
    total = np.array([weight[p].sum() for p in parts])
    if classes:
        value = np.stack([np.bincount(target[p], weight[p], classes) for p in parts])
    else:
        value = np.array([[weight[p] @ target[p]] for p in parts])
    left, right = (np.array([split[i][s] if i in split else -1 for i in range(len(parts))])
                   for s in (1, 2))  # fmt: skip
    return Nodes(
        feature=np.array([-1 if t is None else t.feature for t in asked]),
        op=np.array([0 if t is None else t.op for t in asked]),
        threshold=np.array([0.0 if t is None else t.threshold for t in asked]),
        missing_left=np.array([t is not None and t.missing_left for t in asked]),
        left=left,
        right=right,
        value=value / total[:, None],
        weight=total,
    )
