"""A few questions where two trees disagree decide between them.

With few rows, rows left out cannot tell a tree that has found what the teacher does from one that
fits the rows by chance: the smaller tree is chosen, and the larger one would have agreed. The rows
on which the two say different things are where a question counts most, so some questions are kept
back for them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from limbeck.core.answers import answers as hard_answers
from limbeck.core.columns import Rows
from limbeck.core.contract import Teacher
from limbeck.methods.search_and_stitch.choosing import ChosenSize
from limbeck.methods.search_and_stitch.queries import FEWEST
from limbeck.methods.search_and_stitch.search import TreeSearch
from limbeck.methods.search_and_stitch.validation import HeldOutLosses

__all__ = ["CANDIDATES", "Settled", "kept_back", "rows_decide", "settle"]

CANDIDATES = 2000
"""Fresh rows among which disputes are looked for; drawing them asks nothing."""
_LEAST, _MOST = 100, 40
_LEVEL = 0.05


@dataclass(frozen=True)
class Settled:
    """What was asked to decide between two trees.

    Parameters
    ----------
    choice : ChosenSize
        The trees, and the one that is chosen now.
    asked : int
        Questions.
    disputed : float
        The share of fresh rows on which the two trees disagree.
    won : int
        Questions to which the tree with the least cost gave the teacher's answer, and the one
        that rows left out had chosen did not.
    """

    choice: ChosenSize
    asked: int = 0
    disputed: float = 0.0
    won: int = 0


def kept_back(queries: int) -> int:
    """How many of so many queries are kept for disputes: a fifth, at most 40.

    None of fewer than 100, which are too few to share.
    """
    return min(queries // 5, _MOST) if queries >= _LEAST else 0


def rows_decide(choice: ChosenSize, queries: int, epsilon: float) -> bool:
    """Whether rows left out are enough to choose a tree by, so that no question is needed.

    Where few queries were asked they never are. Otherwise they are if the standard error of the
    chosen tree's loss on them, a row wrong and a row right added, is at most half of epsilon: fresh
    rows of a sampler are not the data, and would choose larger trees for what no row shows.

    Parameters
    ----------
    choice : ChosenSize
        What rows left out have chosen.
    queries : int
        Queries that were allowed.
    epsilon : float
        The disagreement aimed at.
    """
    if queries < FEWEST or not choice.judged:
        return False
    losses = choice.losses[choice.leaves - 1]
    share = (float(losses.sum()) + 1) / (len(losses) + 2)
    return math.sqrt(share * (1 - share) / len(losses)) <= epsilon / 2


def settle(
    choice: ChosenSize,
    search: TreeSearch,
    judged: HeldOutLosses | None,
    teacher: Teacher,
    drawn: Rows,
    most: int,
    epsilon: float,
    seen: NDArray[np.float64],
    largest: int,
) -> Settled:
    """Ask where the chosen tree and the stitched tree of the least cost disagree.

    The latter is taken if it is right more often there, by a sign test at 5%, and agrees better
    by more than half of epsilon in all.

    Parameters
    ----------
    choice : ChosenSize
        What rows left out have chosen.
    search : TreeSearch
        When it has run.
    judged : HeldOutLosses or None
        Losses on rows left out.
    teacher : Teacher
        Asked about at most ``most`` of the rows.
    drawn : Rows
        Fresh rows of the sampler.
    most : int
        Questions at most.
    epsilon : float
        The disagreement aimed at.
    seen : ndarray of shape (m, d)
        Encoded rows between which thresholds are put.
    largest : int
        Leaves at most.
    """
    task = search.task
    if not (most and task.classifies and len(drawn)):
        return Settled(choice)
    plans = search.stitched()
    costs = np.array([search.cost(plan) for plan in plans[:largest]])
    size = plans[int(np.flatnonzero(costs <= costs.min() + 1e-9)[0])].leaves
    rival = search.tree(plans[size - 1], seen)
    said, other = (t.predict_proba(drawn).argmax(axis=1) for t in (choice.tree, rival))
    apart = np.flatnonzero(said != other)
    disputed = len(apart) / len(drawn)
    if disputed <= epsilon / 2:
        return Settled(choice, disputed=disputed)
    at = apart[:most]
    told = hard_answers(teacher.scores(drawn[at].native()), task)
    won, lost = int((other[at] == told).sum()), int((said[at] == told).sum())
    better = disputed * (won - lost) / len(at) > epsilon / 2
    chance = float(binom.sf(won - 1, won + lost, 0.5)) if won else 1.0
    if not better or chance > _LEVEL:
        return Settled(choice, len(at), disputed, won)
    if choice.kind == "greedy":
        trees = search.trees(plans, seen)
        losses = choice.losses if judged is None else judged.stitched
        choice = replace(choice, plans=plans, trees=trees, kind="stitched", losses=losses)
    return Settled(replace(choice, leaves=size), len(at), disputed, won)
