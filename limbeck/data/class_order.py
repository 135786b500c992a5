"""Whether a model's outputs stand for the classes in another order than was taken."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Reordering", "better_order", "beyond_chance"]

LEVEL = 1e-3
"""A model at chance is taken for one in another order with at most this probability."""

Index = NDArray[np.int64]


@dataclass(frozen=True)
class Reordering:
    """Another order of the classes, in which a model is right where it was wrong.

    Parameters
    ----------
    order : tuple of int
        For each output the class that it stands for.
    rows : int
        Labelled rows that were compared.
    right, right_then : int
        Right answers in the order that was taken, and in the other.
    p : float
        The probability of so few right answers, or fewer, if answers had nothing to do with labels.
    """

    order: tuple[int, ...]
    rows: int
    right: int
    right_then: int
    p: float


def better_order(y: Index, answers: Index, k: int, level: float = LEVEL) -> Reordering | None:
    """Another order of the classes that repairs a model which is worse than chance.

    The permutation with the most right answers solves the assignment problem on the table of
    labels and answers. Each of its cycles is kept where the rows of its classes are answered
    right significantly less often than by chance, and significantly more often once reordered.
    The test is Fisher's exact test for two classes (given how often each class is answered), and
    the exact binomial test for more; levels are shared over all cycles of that length.

    Parameters
    ----------
    y, answers : ndarray of shape (n,), int64
        Labels and answers, as places in the classes.
    k : int
        The number of classes.
    level : float
        The level of each test.

    Returns
    -------
    Reordering or None
        None where no other order is significantly better.
    """
    from scipy.optimize import linear_sum_assignment

    table = np.zeros((k, k))  # [answer, label]
    np.add.at(table, (answers, y), 1.0)
    best = linear_sum_assignment(-(table + np.eye(k) / (2 * k)))[1]
    order, p = np.arange(k), 1.0
    for cycle in _cycles(best):
        part = table[np.ix_(cycle, cycle)]
        m = len(cycle)
        many = math.comb(k, m) * math.factorial(m - 1)
        turned = [cycle.index(int(best[c])) for c in cycle]
        below = _chance(part, fewer=True) * many
        above = _chance(part[:, turned], fewer=False) * many
        if max(below, above) <= level:
            order[cycle] = best[cycle]
            p = min(p, below)
    if p == 1.0:
        return None
    right_then = int(table[np.arange(k), order].sum())
    return Reordering(tuple(order.tolist()), len(y), int(np.trace(table)), right_then, float(p))


def beyond_chance(y: Index, answers: Index, k: int) -> float:
    """Right answers beyond those by chance, in the order of the classes that has most of them.

    By chance an answer a meets a label b as often as both are given, n_a n_b / n; a model that
    always answers alike has none beyond that.

    Parameters
    ----------
    y, answers : ndarray of shape (n,), int64
        Labels and answers, as places in the classes.
    k : int
        The number of classes.
    """
    from scipy.optimize import linear_sum_assignment

    table = np.zeros((k, k))  # [answer, label]
    np.add.at(table, (answers, y), 1.0)
    table -= np.outer(table.sum(1), table.sum(0)) / max(len(y), 1)
    return float(table[linear_sum_assignment(-table)].sum())


def _cycles(permutation: Index) -> list[list[int]]:
    """The cycles of a permutation with more than one element."""
    found, seen = [], set()
    for start in range(len(permutation)):
        cycle, place = [], start
        while place not in seen:
            seen.add(place)
            cycle.append(place)
            place = int(permutation[place])
        if len(cycle) > 1:
            found.append(cycle)
    return found


def _chance(table: NDArray[np.float64], *, fewer: bool) -> float:
    """The probability of so few right answers (the diagonal), or so many, by chance."""
    from scipy.stats import binom, hypergeom

    n, right = int(table.sum()), int(np.trace(table))
    if n == 0:
        return 1.0
    answers, labels = table.sum(axis=1), table.sum(axis=0)
    if len(table) == 2:
        right, given = int(table[0, 0]), (n, int(answers[0]), int(labels[0]))
        return float(hypergeom.cdf(right, *given) if fewer else hypergeom.sf(right - 1, *given))
    by_chance = float(answers @ labels) / n**2
    return float(binom.cdf(right, n, by_chance) if fewer else binom.sf(right - 1, n, by_chance))
