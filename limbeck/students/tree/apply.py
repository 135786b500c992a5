"""From rows to leaves: blocks that stay in cache, and whole columns compared at once.

No row is looked at on its own. In a tree of up to 256 leaves every question is answered for
every row, and leaves are chosen from the bottom up by bit masks, which is cheap because numpy
does it 32 rows an instruction. A larger tree sends the positions of the rows down instead.
Measured in benchmarks/predict.py.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from limbeck.students.tree.nodes import EQ, LE, Nodes

__all__ = ["walker"]

_SELECT_UP_TO = 256  # leaves, so that their numbers fit one byte
Walker = Callable[[NDArray[np.float64]], NDArray[np.integer]]


def walker(nodes: Nodes) -> tuple[Walker, NDArray[np.int32]]:
    """A function that finds the leaf of each row.

    Parameters
    ----------
    nodes : Nodes
        A sound tree.

    Returns
    -------
    walk : callable
        From encoded rows (n, d), a few thousand at a time for speed, to the number of the leaf
        that each row reaches, shape (n,).
    leaves : ndarray of int32
        The position in ``nodes`` of each leaf number.
    """
    order = nodes.preorder()
    leaves = np.array([i for i in order if nodes.feature[i] < 0], dtype=np.int32)
    number = {int(i): j for j, i in enumerate(leaves)}
    questions = {i: _Question(nodes, i) for i in order if nodes.feature[i] >= 0}
    used = sorted({q.feature for q in questions.values()})
    # From the bottom up: a number is a leaf, a question takes the two results before it.
    steps = [number[i] if i in number else questions[i] for i in reversed(order)]

    def walk(values: NDArray[np.float64]) -> NDArray[np.integer]:
        columns = {f: np.ascontiguousarray(values[:, f]) for f in used}
        if len(leaves) <= _SELECT_UP_TO:
            return _select(steps, columns, len(values))
        return _sort(questions, number, columns, len(values))

    return walk, leaves


class _Question:
    """A question in the form that needs the fewest array operations.

    Comparisons with NaN are false, so that the side to which missing values do not go is the
    one that is tested for.
    """

    def __init__(self, nodes: Nodes, i: int) -> None:
        self.feature, self.op = int(nodes.feature[i]), int(nodes.op[i])
        self.threshold = float(nodes.threshold[i])
        self.tests_left = not (self.op in (LE, EQ) and nodes.missing_left[i])
        self.left, self.right = int(nodes.left[i]), int(nodes.right[i])

    def test(self, x: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether rows go to the side that is tested for."""
        t, out = self.threshold, np.empty(len(x), dtype=np.bool_)
        if self.op == LE:
            return np.less_equal(x, t, out=out) if self.tests_left else np.greater(x, t, out=out)
        if self.op == EQ and self.tests_left:
            return np.equal(x, t, out=out)
        if self.op == EQ:
            np.less(x, t, out=out)
            return np.logical_or(out, x > t, out=out)
        return np.isnan(x, out=out)


def _select(
    steps: list[int | _Question], columns: dict[int, NDArray[np.float64]], n: int
) -> NDArray[np.uint8]:
    results: list[NDArray[np.uint8] | int] = []
    for step in steps:
        if isinstance(step, int):
            results.append(step)
            continue
        left, right = results.pop(), results.pop()
        hit, miss = (left, right) if step.tests_left else (right, left)
        mask = step.test(columns[step.feature]).view(np.uint8)
        np.negative(mask, out=mask)  # 1 becomes 255: all bits
        # miss ^ (mask & (hit ^ miss)) is hit where the mask is set, and miss elsewhere.
        mask &= hit ^ miss
        mask ^= miss
        results.append(mask)
    return np.broadcast_to(np.asarray(results[0], dtype=np.uint8), (n,))


def _sort(
    questions: dict[int, _Question],
    number: dict[int, int],
    columns: dict[int, NDArray[np.float64]],
    n: int,
) -> NDArray[np.int32]:
    found = np.empty(n, dtype=np.int32)
    stack = [(0, np.arange(n))]
    while stack:
        i, rows = stack.pop()
        if i in number:
            found[rows] = number[i]
        elif len(rows):
            q = questions[i]
            hit = q.test(columns[q.feature].take(rows))
            left = hit if q.tests_left else ~hit
            stack += [(q.right, rows[~left]), (q.left, rows[left])]
    return found
