"""Which rows arrive where in planned trees, and what they say: counted once for all trees.

Trees of neighbouring sizes ask the same questions but for a few, so that what arrives below a run
of questions is found once, and serves every tree that begins with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.task import Task
from limbeck.methods.search_and_stitch.plan import PlannedTree
from limbeck.methods.search_and_stitch.sample import Index, Sample
from limbeck.students.tree.nodes import Nodes

__all__ = ["Arrivals"]


@dataclass(eq=False)
class _Place:
    """Rows below a run of questions, what they say together, and the places below it."""

    rows: Index
    judged: Index
    value: NDArray[np.float64]
    weight: float
    sides: dict[int, tuple[_Place, _Place]] = field(default_factory=dict)


class Arrivals:
    """The rows of a sample at the nodes of planned trees.

    Parameters
    ----------
    sample : Sample
        Rows and literals.
    answers : ndarray of shape (n,)
        Class indices, or values.
    weight : ndarray of shape (n,)
        How much each row counts.
    task : Task
        What is predicted.
    judged : ndarray of shape (literals, j), bool, optional
        Truth of the sample's literals on other rows, about which :meth:`said` is asked.
    """

    def __init__(
        self,
        sample: Sample,
        answers: NDArray[Any],
        weight: NDArray[np.float64],
        task: Task,
        judged: NDArray[np.bool_] | None = None,
    ) -> None:
        self.sample, self.answers, self.weight = sample, answers, weight
        self._classes = len(task.classes)
        self._truth = sample.truth[:, :0] if judged is None else judged
        self._root = self._place(np.arange(len(sample)), np.arange(self._truth.shape[1]))

    def of(self, rows: Index) -> Arrivals:
        """The same of some rows of the sample.

        Parameters
        ----------
        rows : ndarray of int
            Positions in the sample.
        """
        out = copy(self)
        out._root = self._place(rows, self._root.judged)
        return out

    def nodes(self, plan: PlannedTree) -> Nodes:
        """A plan as nodes, valued by the weighted answers of the rows that arrive.

        Values are class shares, of shape (m, k), or means, of shape (m, 1).

        Parameters
        ----------
        plan : PlannedTree
            The tree.
        """
        out: list[tuple[int, int, float, bool, int, int, NDArray[np.float64], float]] = []

        def visit(plan: PlannedTree, place: _Place) -> int:
            here, value, total = len(out), place.value, place.weight
            out.append((-1, 0, 0.0, False, -1, -1, value, total))
            if plan.left is not None and plan.right is not None:
                q = self.sample.literals.items[plan.literal]
                sides = self._sides(place, plan.literal)
                left, right = visit(plan.left, sides[0]), visit(plan.right, sides[1])
                asks = (q.feature, q.op, q.threshold, q.missing_left)
                out[here] = (*asks, left, right, value, total)
            return here

        visit(plan, self._root)
        f, op, threshold, missing, left, right, value, total = map(np.array, zip(*out, strict=True))
        return Nodes(f, op, threshold, missing, left, right, value, total)

    def of_sizes(self, plans: Sequence[PlannedTree]) -> list[Nodes]:
        """Plans of growing size as nodes; a plan that follows itself is the same object.

        Parameters
        ----------
        plans : sequence of PlannedTree
            The trees.
        """
        out: list[Nodes] = []
        for m, plan in enumerate(plans):
            out.append(out[-1] if m and plan == plans[m - 1] else self.nodes(plan))
        return out

    def said(self, plan: PlannedTree) -> NDArray[np.float64]:
        """What a plan says of the rows judged: values of shape (j, k), or (j, 1).

        Parameters
        ----------
        plan : PlannedTree
            The tree.
        """
        out = np.empty((self._truth.shape[1], len(self._root.value)))
        stack = [(plan, self._root)]
        while stack:
            plan, place = stack.pop()
            if plan.left is None or plan.right is None:
                out[place.judged] = place.value
            else:
                stack += zip((plan.left, plan.right), self._sides(place, plan.literal), strict=True)
        return out

    def _sides(self, place: _Place, literal: int) -> tuple[_Place, _Place]:
        if literal not in place.sides:
            inside = self.sample.truth[literal].take(place.rows)
            there = self._truth[literal].take(place.judged)
            place.sides[literal] = (
                self._place(place.rows[inside], place.judged[there]),
                self._place(place.rows[~inside], place.judged[~there]),
            )
        return place.sides[literal]

    def _place(self, rows: Index, judged: Index) -> _Place:
        answers, weight = self.answers[rows], self.weight[rows]
        total = float(weight.sum())
        if self._classes:
            value = np.bincount(answers, weight, self._classes) / total
        else:
            value = np.array([(answers * weight).sum() / total])
        return _Place(rows, judged, value, total)
