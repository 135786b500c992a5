"""Terms for more than two classes, one weight after the other, by what it does to the softmax.

Least squares on logits explains every class by itself, and gives each class that has a term an
intercept. Where few numbers are allowed both leave fewer for telling classes apart. Here each
weight, and each intercept, is a step of its own: of all terms for all classes those with the
largest score statistics (Rao 1948) are tried with their best weight beside the sum so far, and the
best per number is taken; then all weights are fitted anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from limbeck.students.sparse_sum.model import TermWeights, design_of
from limbeck.students.sparse_sum.refit import RIDGE, fit_centred
from limbeck.students.sparse_sum.selection import Chosen
from limbeck.students.sparse_sum.terms import FilledColumns, SumTerm

__all__ = ["INTERCEPT", "Grown", "SoftmaxGrowth", "laid_out", "thinned"]

Vector = NDArray[np.float64]
Index = NDArray[np.int64]
INTERCEPT = -1
"""The candidate in a pair of `Chosen` that stands for an intercept."""
ROWS = 1500
"""Terms are chosen on at most so many rows."""
_TRIED, _STEPS, _LARGEST = 32, 5, 8.0
_LIKELIHOOD = 0.3  # of log-likelihood counts as an error, where errors are counted


def thinned(n: int) -> Index:
    """The places of at most `ROWS` of n rows, evenly taken."""
    return np.linspace(0, n - 1, min(n, ROWS)).astype(np.int64)


@dataclass(frozen=True)
class Grown:
    """A sum that was grown.

    Parameters
    ----------
    chosen : Chosen
        Pairs of a candidate, or `INTERCEPT`, and a class.
    found : TermWeights
        With its weights on the rows on which it was grown.
    """

    chosen: Chosen
    found: TermWeights


@dataclass(frozen=True)
class _GrowingSum:
    """A sum on its way."""

    chosen: Chosen
    beta: dict[tuple[int, int], float]
    z: Vector  # (n, k): the sums
    p: Vector  # (n, k): their softmax
    held: int  # numbers


@dataclass(frozen=True)
class _GrowthPool:
    """The candidates among which a sum is grown."""

    candidates: Index  # (p,)
    matrix: NDArray[np.float32]  # (p, n)
    squares: NDArray[np.float32]  # (p, n)


def laid_out(chosen: Chosen, k: int) -> tuple[list[int], NDArray[np.bool_], NDArray[np.bool_]]:
    """The t candidates, each once; which has a weight for which class (t, k); intercepts (k,).

    Parameters
    ----------
    chosen : list of tuple
        Candidates, or `INTERCEPT`, and classes.
    k : int
        How many classes.
    """
    order = list(dict.fromkeys(m for m, _ in chosen if m != INTERCEPT))
    used, intercepts = np.zeros((len(order), k), dtype=np.bool_), np.zeros(k, dtype=np.bool_)
    for m, c in chosen:
        if m == INTERCEPT:
            intercepts[c] = True
        else:
            used[order.index(m), c] = True
    return order, used, intercepts


class SoftmaxGrowth:
    """Chooses weights for the classes of a softmax within budgets of numbers.

    Parameters
    ----------
    terms : sequence of SumTerm
        The m candidates.
    columns : FilledColumns
        Of n rows.
    soft : ndarray of shape (n, k)
        The teacher's probabilities.
    weight : ndarray of shape (n,)
        How much each row counts.
    """

    def __init__(
        self, terms: Sequence[SumTerm], columns: FilledColumns, soft: Vector, weight: Vector
    ) -> None:
        self._target = soft / np.maximum(soft.sum(axis=1, keepdims=True), 1e-300)
        self._hard = soft.argmax(axis=1)
        self._share = weight * (len(weight) / weight.sum())
        self._numbers = np.array([t.numbers for t in terms], dtype=np.int64)
        values = np.ascontiguousarray(design_of(list(terms), columns).T)
        size = np.sqrt(np.mean(values**2, axis=1))
        self._terms, self._size = terms, np.where(size > 0, size, 1.0)
        self._matrix = (values / self._size[:, None]).astype(np.float32)
        self._squares = self._matrix**2

    def grow(
        self, budgets: Sequence[int], allowed: NDArray[np.bool_], errors: bool = False
    ) -> list[Grown]:
        """The weights of a sum within each budget; each sum begins with the one before.

        Parameters
        ----------
        budgets : sequence of int
            Numbers at most, intercepts included; increasing.
        allowed : ndarray of shape (m,), bool
            Among which candidates.
        errors : bool
            Whether a weight is worth the rows that it puts right, with a part of the
            log-likelihood, instead of the log-likelihood that it gains.

        Returns
        -------
        list of Grown
            One for each budget.
        """
        k, own = self._target.shape[1], np.flatnonzero(allowed)
        pool = _GrowthPool(own, self._matrix[own], self._squares[own])
        at = _GrowingSum(
            [], {}, np.zeros(self._target.shape), np.full(self._target.shape, 1 / k), 0
        )
        found = []
        for budget in budgets:
            while (step := self._best(at, budget - at.held, pool, errors)) is not None:
                at = self._with(at, *step)
            found.append(Grown(at.chosen, self._made(at)))
        return found

    def _made(self, at: _GrowingSum) -> TermWeights:
        k = self._target.shape[1]
        order, _, _ = laid_out(at.chosen, k)
        weights, intercept = np.zeros((len(order), k)), np.zeros(k)
        for (m, c), beta in at.beta.items():
            if m == INTERCEPT:
                intercept[c] = beta
            else:
                weights[order.index(m), c] = beta / self._size[m]
        return TermWeights(tuple(self._terms[m] for m in order), weights, intercept)

    def _best(
        self, at: _GrowingSum, left: int, pool: _GrowthPool, errors: bool
    ) -> tuple[tuple[int, int], int] | None:
        """The pair that comes next among those that fit, and its price."""
        if left < 1:
            return None
        price = self._numbers + 1
        price[[m for m, _ in at.chosen if m >= 0]] = 1
        m, c = self._promising(at, pool, price, left)
        if not len(m):
            return None
        x = np.ones((len(m), len(self._hard)))
        x[m >= 0] = self._matrix[m[m >= 0]]
        gain, up = self._tried(at, x, c)
        if errors:
            gain = self._put_right(at, up, c) + _LIKELIHOOD * gain
        cost = np.where(m >= 0, price[m], 1)
        best = int((gain / cost).argmax())
        if gain[best] <= 1e-6 * len(self._hard):
            return None
        return (int(m[best]), int(c[best])), int(cost[best])

    def _promising(
        self, at: _GrowingSum, pool: _GrowthPool, price: Index, left: int
    ) -> tuple[Index, Index]:
        """Pairs that fit and are not chosen yet with the largest score statistics per number."""
        k = self._target.shape[1]
        rest = self._share[:, None] * (self._target - at.p)
        curve = self._share[:, None] * at.p * (1 - at.p)
        cost = price[pool.candidates]
        worth = np.empty((len(cost) + 1, k))
        worth[0] = rest.sum(axis=0) ** 2 / (curve.sum(axis=0) + RIDGE)
        score, bend = pool.matrix @ rest.astype(np.float32), pool.squares @ curve.astype(np.float32)
        worth[1:] = np.where(cost <= left, 1 / cost, 0.0)[:, None] * (score**2 / (bend + RIDGE))
        row = {int(m): i + 1 for i, m in enumerate(pool.candidates)} | {INTERCEPT: 0}
        for m, c in at.chosen:
            worth[row[m], c] = 0.0
        flat = np.argsort(-worth, axis=None, kind="stable")[:_TRIED]
        flat = flat[worth.ravel()[flat] > 0]
        return np.concatenate([[INTERCEPT], pool.candidates])[flat // k], flat % k

    def _tried(self, at: _GrowingSum, x: Vector, c: Index) -> tuple[Vector, Vector]:
        """What each term gains in log-likelihood with its best weight, and what it adds then.

        Parameters
        ----------
        at : _GrowingSum
            The sum so far, whose weights stay.
        x : ndarray of shape (q, n)
            The terms.
        c : ndarray of shape (q,), int
            To which class each is added.

        Returns
        -------
        gain : ndarray of shape (q,)
        up : ndarray of shape (q, n)
        """
        share, p, y = self._share, at.p[:, c].T, self._target[:, c].T
        beta, rest, squares = np.zeros(len(x)), 1 - p, x**2
        for _ in range(_STEPS):  # Newton's, one weight each
            grown = p * np.exp(np.clip(beta[:, None] * x, -50.0, 50.0))
            new = grown / (rest + grown)
            slope = ((y - new) * x) @ share - RIDGE * beta
            bend = (new * (1 - new) * squares) @ share + RIDGE
            beta = np.clip(beta + np.clip(slope / bend, -2, 2), -_LARGEST, _LARGEST)
        up = beta[:, None] * x
        likelihood = (y * up - np.log1p(p * np.expm1(np.minimum(up, 50.0)))) @ share
        return likelihood - RIDGE / 2 * beta**2, up

    def _put_right(self, at: _GrowingSum, up: Vector, c: Index) -> Vector:
        """On how many rows more the sum says the class, where ``up`` is added; shape (q,)."""
        rows = np.arange(len(at.z))
        said, next_ = np.argsort(-at.z, axis=1, kind="stable")[:, :2].T
        other = np.where(said == c[:, None], next_, said)  # who wins if this class does not
        wins = at.z[:, c].T + up > at.z[rows, other]
        right = np.where(wins, c[:, None], other) == self._hard
        before = float(self._share @ (at.z.argmax(axis=1) == self._hard))
        return np.asarray(right @ self._share - before)

    def _with(self, at: _GrowingSum, pair: tuple[int, int], price: int) -> _GrowingSum:
        """The sum with one more weight, all fitted anew."""
        chosen = [*at.chosen, pair]
        k = self._target.shape[1]
        order, used, intercepts = laid_out(chosen, k)
        place = {m: i + 1 for i, m in enumerate(order)} | {INTERCEPT: 0}
        start = np.zeros((len(order) + 1, k))
        for m, c in at.chosen:
            start[place[m], c] = at.beta[m, c]
        x = self._matrix[order].T.astype(np.float64)
        weights, level = fit_centred(
            x, used, intercepts, self._target, self._share, True, RIDGE, start
        )
        whole = np.vstack([level, weights])
        z = x @ weights + level
        beta = {(m, c): float(whole[place[m], c]) for m, c in chosen}
        return _GrowingSum(chosen, beta, z, softmax(z, axis=1), at.held + price)
