"""The trees of all sizes after a search, and which of them is chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Rows
from limbeck.core.task import Task
from limbeck.data.smallest_size import smallest_within
from limbeck.methods.search_and_stitch.plan import PlannedTree
from limbeck.methods.search_and_stitch.search import TreeSearch
from limbeck.methods.search_and_stitch.settings import SearchSettings
from limbeck.methods.search_and_stitch.status import Outcome
from limbeck.methods.search_and_stitch.validation import HeldOutLosses
from limbeck.students.tree.tree import Tree

__all__ = ["ChosenSize", "choose"]

_CLEARLY = 2.0  # standard errors


@dataclass(frozen=True)
class ChosenSize:
    """Trees with at most 1, 2, ... leaves, and the one that is chosen.

    Parameters
    ----------
    plans : list of PlannedTree
        The trees in terms of the search.
    trees : list of Tree
        The same as students.
    kind : {"stitched", "greedy"}
        What they are.
    losses : ndarray of shape (max_leaves, n)
        Their losses on the user's rows, each left out where ``judged``.
    judged : bool
        Whether there were enough rows to leave some out.
    leaves : int
        Leaves of the chosen one.
    """

    plans: list[PlannedTree]
    trees: list[Tree]
    kind: Literal["stitched", "greedy"]
    losses: NDArray[np.float64]
    judged: bool
    leaves: int

    @property
    def tree(self) -> Tree:
        """The chosen one."""
        return self.trees[self.leaves - 1]

    @property
    def frontier(self) -> list[Tree]:
        """One tree of every size that occurs."""
        sizes = [0, *(tree.size for tree in self.trees)]
        return [t for t, before in zip(self.trees, sizes, strict=False) if t.size > before]

    def outcome(self, search: TreeSearch, most: int) -> Outcome:
        """What is to be said of it; ``most`` is the largest tree that was allowed.

        Parameters
        ----------
        search : TreeSearch
            The run.
        most : int
            Leaves of the largest tree that was allowed.
        """
        n = self.losses.shape[1]
        losses = _losses(self.tree, search.rows, search.answers, search.task)
        return Outcome(
            chosen=self.leaves,
            most=most,
            classifies=search.task.classifies,
            seen=float(np.average(losses[:n], weights=search.weight[:n])),
            queries=float(losses[n:].mean()) if len(losses) > n else None,
            left_out=self.losses if self.judged else None,
            exact=not (losses > 1e-12).any(),
        )


def choose(
    method: SearchSettings,
    search: TreeSearch,
    judged: HeldOutLosses | None,
    n: int,
    seen: NDArray[np.float64],
) -> ChosenSize:
    """Choose between stitched and greedy trees, and the size.

    Stitched trees are taken unless the greedy ones agree better on rows left out by two standard
    errors, and where depth or leaves are limited always. A smaller difference on few rows is chance
    more often than not, and stitched trees agree better on fresh rows (docs/measurements/
    queries.md). The size is ``leaves``, or the smallest within the tolerance.

    Parameters
    ----------
    method : SearchSettings
        The settings.
    search : TreeSearch
        When it has run.
    judged : HeldOutLosses or None
        Losses on rows left out; None where there are too few rows.
    n : int
        The user's own rows, the first of the search.
    seen : ndarray of shape (m, d)
        Encoded rows between which thresholds are put.
    """
    greedy = judged is not None and judged.gain(method.sizes()) <= -_CLEARLY
    greedy = greedy and not method.shaped  # greedy trees are grown without limits
    plans = search.cut_back() if greedy else search.stitched()
    task = search.task
    trees = search.trees(plans, seen)
    if judged is not None:
        losses = judged.greedy if greedy else judged.stitched
    else:
        own, answers = search.rows[:n], search.answers[:n]
        losses = np.stack([_losses(tree, own, answers, task) for tree in trees])
    size = method.leaves or 1 + smallest_within(losses, search.weight[:n], method.epsilon)
    kind: Literal["stitched", "greedy"] = "greedy" if greedy else "stitched"
    return ChosenSize(plans, trees, kind, losses, judged is not None, trees[size - 1].size)


def _losses(tree: Tree, rows: Rows, answers: NDArray[Any], task: Task) -> NDArray[np.float64]:
    """Loss of a tree on each row: disagreement, or the squared error per variance."""
    if task.classifies:
        return np.asarray(tree.predict_proba(rows).argmax(axis=1) != answers, dtype=np.float64)
    return np.asarray((tree.predict(rows) - answers) ** 2 / max(float(answers.var()), 1e-30))
