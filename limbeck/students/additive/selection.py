"""Which steps: chosen one after the other by what they explain per number, from sums over rows.

Orthogonal least squares (Chen, Billings and Luo 1989) with a ridge: the gain of a term is that of
the whole fit, all weights anew. Weights that must not be negative, or not positive, are found by
least squares with bounds.

Shapes: p terms, k outputs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, solve_triangular

__all__ = ["ChosenTerms", "TermLimits", "chosen_terms", "weights_of"]

Vector = NDArray[np.float64]
Codes = NDArray[np.int64]
_NOTHING = 1e-12  # of the variance of the targets


@dataclass(frozen=True, eq=False)
class TermLimits:
    """What a choice of terms must keep to.

    Parameters
    ----------
    prices : ndarray of shape (p,)
        How many numbers name a term; each weight of it is one more.
    group : ndarray of int, shape (p,)
        The column, or pair of columns, of each term.
    allowed : ndarray of bool, shape (p,)
        Terms that may be chosen.
    signs : ndarray of shape (p,)
        1 where the weights must not be negative, -1 where not positive, else 0.
    numbers : float
        The most numbers in all, intercepts not counted.
    groups : int or None
        The most columns and pairs.
    """

    prices: Vector
    group: Codes
    allowed: NDArray[np.bool_]
    signs: Vector
    numbers: float
    groups: int | None = None


@dataclass(frozen=True, eq=False)
class ChosenTerms:
    """Terms in the order in which they were chosen, each for one output.

    ``terms`` and ``outputs`` have shape (m,); ``numbers`` (m,) counts up to and with each.
    """

    terms: Codes
    outputs: Codes
    numbers: Vector

    def within(self, numbers: float) -> ChosenTerms:
        """The first of them that hold at most so many numbers."""
        m = int(np.searchsorted(self.numbers, numbers, side="right"))
        return ChosenTerms(self.terms[:m], self.outputs[:m], self.numbers[:m])


class _OneOutput:
    """What the terms chosen so far leave of the others, for one output."""

    def __init__(self, gram: Vector, cross: Vector, ridge: float) -> None:
        self.gram, self.ridge = gram, ridge
        self.rest = cross.copy()
        self.left = gram.diagonal() + ridge  # the variance of each term that is not explained
        self.done = np.empty((8, len(cross)))
        self.count = 0

    def gains(self) -> Vector:
        return np.asarray(self.rest**2 / self.left)

    def choose(self, i: int) -> None:
        done = self.done[: self.count]
        column = self.gram[:, i] - done.T @ done[:, i]
        column[i] += self.ridge
        column /= np.sqrt(column[i])
        self.rest -= column * (self.rest[i] / column[i])
        self.left = np.maximum(self.left - column**2, 1e-300)
        if self.count == len(self.done):
            self.done = np.concatenate([self.done, np.empty_like(self.done)])
        self.done[self.count] = column
        self.count += 1


def chosen_terms(gram: Vector, cross: Vector, ridge: float, limits: TermLimits) -> ChosenTerms:
    """Choose terms as far as the limits allow, the most explained per number first.

    Squared errors of several outputs add up, so each output chooses terms of its own; what names a
    term is paid once.

    Parameters
    ----------
    gram : ndarray of shape (p, p)
        Centred products of terms per unit of weight.
    cross : ndarray of shape (p, k)
        Those of terms and targets.
    ridge : float
        Added to the diagonal.
    limits : TermLimits
        What may be chosen.
    """
    k = cross.shape[1]
    outputs = [_OneOutput(gram, cross[:, c], ridge) for c in range(k)]
    floor = max(ridge * (1 + 1e-6), 1e-9 * float(gram.diagonal().max(initial=0.0)))
    open_ = np.repeat((limits.allowed & (gram.diagonal() + ridge > floor))[:, None], k, axis=1)
    least = _NOTHING * float((cross**2).sum()) + 1e-300
    prices = np.repeat(limits.prices[:, None] + 1.0, k, axis=1)
    gains = np.stack([o.gains() for o in outputs], axis=1)
    found: list[tuple[int, int, float]] = []
    spent, used = 0.0, set[int]()
    while True:
        worth = np.where(open_ & (prices <= limits.numbers - spent), gains / prices, 0.0)
        if limits.signs.any():
            rest = np.stack([o.rest for o in outputs], axis=1)
            worth[limits.signs[:, None] * rest < 0] = 0.0
        i, c = np.unravel_index(int(worth.argmax()), worth.shape)
        if gains[i, c] <= least or worth[i, c] <= 0:
            break
        outputs[c].choose(int(i))
        gains[:, c] = outputs[c].gains()
        spent += float(prices[i, c])
        prices[i] = 1.0
        open_[:, c] &= outputs[c].left > floor
        open_[i, c] = False
        found.append((int(i), int(c), spent))
        used.add(int(limits.group[i]))
        if limits.groups is not None and len(used) == limits.groups:
            open_ &= np.isin(limits.group, list(used))[:, None]
    terms, ofs, numbers = zip(*found, strict=True) if found else ((), (), ())
    return ChosenTerms(
        np.array(terms, np.int64), np.array(ofs, np.int64), np.array(numbers, np.float64)
    )


def weights_of(
    gram: Vector, cross: Vector, ridge: float, chosen: NDArray[np.bool_], signs: Vector
) -> Vector:
    """Weights (p, k) of some terms, by ridge regression; 0 for all others.

    Parameters
    ----------
    gram, cross, ridge
        As for :func:`chosen_terms`.
    chosen : ndarray of bool, shape (p, k)
        The terms of each output.
    signs : ndarray of shape (p,)
        As in :class:`TermLimits`.
    """
    theta = np.zeros(cross.shape)
    if cross.shape[1] > 1 and (chosen == chosen[:, :1]).all() and not signs.any():
        at = np.flatnonzero(chosen[:, 0])
        theta[at] = _ridge(gram, cross[at], ridge, at)[1]
        return theta
    for c in range(cross.shape[1]):
        at = np.flatnonzero(chosen[:, c])
        if len(at):
            theta[at, c] = _signed(gram, cross[at, c], ridge, at, signs[at])
    return theta


def _ridge(gram: Vector, goal: Vector, ridge: float, at: Codes) -> tuple[Vector, Vector]:
    inner = gram[np.ix_(at, at)] + ridge * np.eye(len(at))
    factor = cho_factor(inner, lower=True, check_finite=False)
    return np.tril(factor[0]), cho_solve(factor, goal, check_finite=False)


def _signed(gram: Vector, goal: Vector, ridge: float, at: Codes, signs: Vector) -> Vector:
    from scipy.optimize import lsq_linear

    root, found = _ridge(gram, goal, ridge, at)
    if (signs * found >= 0).all():
        return found
    low, high = np.where(signs > 0, 0.0, -np.inf), np.where(signs < 0, 0.0, np.inf)
    goal = solve_triangular(root, goal, lower=True)
    bounded = lsq_linear(root.T, goal, (low, high), method="bvls").x
    return np.asarray(np.clip(bounded, low, high))
