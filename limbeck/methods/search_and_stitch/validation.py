"""Trees judged on rows left out: all is grown anew without each fold of the rows.

Without the fold, and without the queries made from its rows, a lighter search is run (the greedy
tree and the tree of two looks ahead, stitched), and its trees of every size are judged on the
fold. Stitching again from the pool of the whole search would not do: its splits were polished on
all rows, and rows that a split was moved for are not left out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Rows
from limbeck.core.progress import quiet
from limbeck.core.task import Task
from limbeck.data.splits import FOLDS
from limbeck.methods.search_and_stitch.arrivals import Arrivals
from limbeck.methods.search_and_stitch.crossfit import Index, inside, row_losses
from limbeck.methods.search_and_stitch.queries import AnsweredQueries
from limbeck.methods.search_and_stitch.sample import Sample
from limbeck.methods.search_and_stitch.search import TreeSearch
from limbeck.methods.search_and_stitch.settings import SearchSettings
from limbeck.methods.weights import weights

__all__ = ["HeldOutLosses", "judge"]

# Judging is no place to spend the time of the search itself.
_MOST_ROWS = 6000
_MOST_QUERIES = 3000


@dataclass(frozen=True)
class HeldOutLosses:
    """Losses of trees of 1, 2, ... leaves on each row left out, each of shape (max_leaves, n).

    Disagreement, or for values the squared error over the variance of the teacher's answers.

    Parameters
    ----------
    stitched, greedy : ndarray of shape (max_leaves, n)
        The losses of both kinds of tree.
    weight : ndarray of shape (n,)
        How much each row counts.
    """

    stitched: NDArray[np.float64]
    greedy: NDArray[np.float64]
    weight: NDArray[np.float64]

    def gain(self, leaves: Sequence[int]) -> float:
        """How much better stitched trees of so many leaves agree, in standard errors.

        Parameters
        ----------
        leaves : sequence of int
            Sizes whose losses are averaged.
        """
        sizes = np.array(leaves) - 1
        gain = (self.greedy[sizes] - self.stitched[sizes]).mean(axis=0)
        error = float(gain.std()) / math.sqrt(len(gain))
        return float(np.average(gain, weights=self.weight)) / error if error > 0 else 0.0


def judge(
    method: SearchSettings,
    rows: Rows,
    answers: NDArray[Any],
    weight: NDArray[np.float64],
    task: Task,
    asked: AnsweredQueries,
    fold: Index,
    shared: Sample,
    rng: np.random.Generator,
) -> HeldOutLosses:
    """Cross-fit; see the module's first lines.

    Parameters
    ----------
    method : SearchSettings
        The settings.
    rows : Rows
        The user's own, n of them.
    answers, weight : ndarray of shape (n,)
        The teacher's answers, and how much each row counts.
    task : Task
        What the answers are.
    asked : AnsweredQueries
        The queries.
    fold : ndarray of shape (n,), int
        The fold of every row.
    shared : Sample
        The rows, then the queries, and literals that were not chosen by their answers.
    rng : numpy.random.Generator
        The source of chance.
    """
    out = np.zeros((2, method.max_leaves, len(rows)))
    for at in range(FOLDS):
        judged = np.flatnonzero(fold == at)
        own = _some(np.flatnonzero(fold != at), _MOST_ROWS, rng)
        near = _some(np.flatnonzero(~inside(fold, asked.sources, at)), _MOST_QUERIES, rng)
        if not len(judged) or not len(own):
            continue
        kept = np.concatenate([own, len(rows) + near])
        told = np.concatenate([answers[own], asked.answers[near]])
        theirs = None if asked.weight is None else asked.weight[near]
        counts = weights(len(own), len(near), method.query_weight, weight[own], theirs)
        part = Rows(rows.features, shared.values[kept])
        search = TreeSearch(method, part, told, task, rng, quiet, counts, (shared, kept), len(own))
        search.grow()
        search.look_ahead()
        truth = shared.truth.take(judged, axis=1)
        arrivals = Arrivals(search.sample, told, counts, task, truth)
        for kind, plans in enumerate((search.stitched(), search.cut_back())):
            for size, plan in enumerate(plans):
                if size and plan is plans[size - 1]:
                    out[kind, size, judged] = out[kind, size - 1, judged]
                    continue
                told_by = arrivals.said(plan)
                if search.monotone is not None:
                    told_by = search.monotone.said(plan, rows.values[judged])
                out[kind, size, judged] = row_losses(told_by, answers[judged], task)
            out[kind, len(plans) :, judged] = out[kind, len(plans) - 1, judged][:, None]
    if not task.classifies:
        spread = np.average((answers - np.average(answers, weights=weight)) ** 2, weights=weight)
        out /= max(float(spread), 1e-30)
    return HeldOutLosses(out[0], out[1], weight)


def _some(rows: Index, most: int, rng: np.random.Generator) -> Index:
    return rows if len(rows) <= most else np.sort(rng.choice(rows, most, replace=False))
