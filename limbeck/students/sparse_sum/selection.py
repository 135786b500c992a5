"""Forward selection by orthogonal least squares, by gain per number, with folds for free.

Each candidate that is chosen costs one product with all candidates, kept apart by fold; every
selection on other folds, for other outputs or within another budget uses the same products.
Orthogonal least squares: Chen, Billings and Luo (1989).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

__all__ = ["Chosen", "OrthogonalSelection", "SelectionLimits"]

Vector = NDArray[np.float64]
Chosen = list[tuple[int, int]]
"""Pairs of a candidate and an output, in the order in which they were chosen."""
_LEAST = 1e-3  # of a candidate's variance must be left beside the terms chosen before


@dataclass(frozen=True)
class _Path:
    """What is known of one output: the projections of all candidates on the terms chosen."""

    along: list[Vector]  # (m,) each: q_i . c, the intercept first
    norms: Vector  # (m,): what is left of |c|^2
    inner: Vector  # (m,): c . what is left of the target
    open: NDArray[np.bool_]  # (m,): who may still be chosen
    least: Vector  # (m,): norms below it are rounding errors
    gain: Vector  # (m,): what each would explain; 0 for those who may not be chosen

    @classmethod
    def of(
        cls,
        along: list[Vector],
        norms: Vector,
        inner: Vector,
        open_: NDArray[np.bool_],
        least: Vector,
    ) -> _Path:
        fits = open_ & (norms > least)
        gain = np.where(fits, inner**2, 0.0) / np.maximum(norms, least)
        return cls(along, norms, inner, open_, least, gain)


@dataclass
class _Selection:
    paths: list[_Path]
    chosen: Chosen
    used: int
    explained: float

    def copy(self) -> _Selection:
        return _Selection(list(self.paths), list(self.chosen), self.used, self.explained)


@dataclass(frozen=True)
class _Rule:
    most: int  # the largest budget
    free: int  # outputs that have an intercept from the start
    floor: Vector  # (k,): what a term must gain
    per_number: bool  # whether a gain is divided by the price
    spread: bool = False  # whether an intercept is left out of that price
    variance: float = 1.0  # of all targets together


@dataclass(frozen=True)
class SelectionLimits:
    """What terms must keep to beside their numbers.

    Parameters
    ----------
    signs : ndarray of shape (m,), optional
        Those that weights must have: 1, -1, or 0 for any.
    reads : ndarray of shape (m, d), bool, optional
        Which columns each candidate reads.
    costs : ndarray of shape (d,), optional
        What the first term that reads a column must explain beyond the rest, as a share of the
        targets' variance.
    """

    signs: Vector | None = None
    reads: NDArray[np.bool_] | None = None
    costs: Vector | None = None

    def cost(self, chosen: Chosen) -> Vector | float:
        """What each candidate costs after those that were chosen, of shape (m,)."""
        if self.costs is None or self.reads is None:
            return 0.0
        read = self.reads[[m for m, _ in chosen]].any(axis=0)
        return np.asarray(self.reads @ np.where(read, 0.0, self.costs))


class OrthogonalSelection:
    """Chooses terms for each output within a budget of numbers.

    Parameters
    ----------
    matrix : ndarray of shape (m, n), float32
        The candidates.
    targets : ndarray of shape (n, k)
        What the sums should be.
    weight : ndarray of shape (n,)
        How much each row counts.
    fold : ndarray of shape (n,), int
        The fold of each row, from 0; rows come in the order of their folds.
    numbers : ndarray of shape (m,), int
        What each candidate holds beside its weight.
    limits : SelectionLimits, optional
        The signs of weights, and what reading a column must explain.
    """

    def __init__(
        self,
        matrix: NDArray[np.float32],
        targets: Vector,
        weight: Vector,
        fold: NDArray[np.int64],
        numbers: NDArray[np.int64],
        limits: SelectionLimits | None = None,
    ) -> None:
        self.matrix, self.numbers = matrix, numbers
        self.limits = SelectionLimits() if limits is None else limits
        self.folds = int(fold.max()) + 1
        self.outputs = targets.shape[1]
        self._share = weight / weight.sum()
        ends = np.searchsorted(fold, np.arange(self.folds + 1))
        self._parts = [slice(a, b) for a, b in pairwise(ends)]
        outputs = range(self.outputs)
        self._targets = [self._product(targets[:, c]) for c in outputs]
        self._level = [self._by_fold(targets[:, c]) for c in outputs]
        self._spread = [self._by_fold(targets[:, c] ** 2) for c in outputs]
        self._ones = self._product(np.ones(len(weight)))
        self._total = self._by_fold(np.ones(len(weight)))
        self._squares = np.empty((len(matrix), self.folds))
        for f, part in enumerate(self._parts):
            block, share = matrix[:, part], self._share[part].astype(np.float32)
            self._squares[:, f] = np.einsum("mn,mn,n->m", block, block, share)
        self._kept: dict[int, Vector] = {}

    def _product(self, v: Vector) -> Vector:
        """All candidates with a vector (n,), by fold: shape (m, F)."""
        weighted = (self._share * v).astype(np.float32)
        parts = [self.matrix[:, part] @ weighted[part] for part in self._parts]
        return np.stack(parts, axis=1).astype(np.float64)

    def _by_fold(self, v: Vector) -> Vector:
        """The weighted sum of a vector in each fold."""
        weighted = self._share * v
        return np.array([weighted[part].sum() for part in self._parts])

    def _with(self, m: int) -> Vector:
        """All candidates with candidate m, by fold."""
        if m not in self._kept:
            self._kept[m] = self._product(self.matrix[m].astype(np.float64))
        return self._kept[m]

    def choose(
        self,
        budgets: Sequence[int],
        allowed: NDArray[np.bool_],
        without: int | None = None,
        free: int = 0,
        spread: bool = False,
    ) -> list[Chosen]:
        """The terms of the largest sum within each budget.

        All follow one path, best gain per number first, until the next term no longer fits; then
        the best of those that fit are added. The same is done by gain alone, which is better
        where one dear term does the work of many cheap ones; the better of the two is kept.

        Parameters
        ----------
        budgets : sequence of int
            Numbers at most, intercepts included; increasing.
        allowed : ndarray of shape (m,), bool
            Among which candidates.
        without : int, optional
            The fold that is left out.
        free : int
            How many outputs have an intercept from the start; others pay for theirs when their
            first term comes.
        spread : bool
            Whether a gain is divided by the price without the intercept that it brings: terms go
            to more outputs, which explains less of each and says more of which is the largest.
        """
        if not len(self.matrix):
            return [[] for _ in budgets]
        use = np.ones(self.folds)
        if without is not None and self.folds > 1:
            use[without] = 0.0
        by_number = self._walk(budgets, allowed, use, free, True, spread)
        if spread:
            return [chosen for chosen, _ in by_number]
        by_gain = self._walk(budgets, allowed, use, free, False)
        pairs = zip(by_number, by_gain, strict=True)
        return [max(pair, key=lambda found: found[1])[0] for pair in pairs]

    def _walk(
        self,
        budgets: Sequence[int],
        allowed: NDArray[np.bool_],
        use: Vector,
        free: int,
        per_number: bool,
        spread: bool = False,
    ) -> list[tuple[Chosen, float]]:
        """What is chosen within each budget by gain, or gain per number, and what it explains."""
        squares = self._squares @ use
        paths = [
            _Path.of(*self._start(c, use), allowed, np.maximum(_LEAST * squares, 1e-9))
            for c in range(self.outputs)
        ]
        floor = 1e-6 * np.array([max(float(s @ use), 1e-300) for s in self._spread])
        varies = [float(s @ use) - float(m @ use) ** 2 / float(self._total @ use)
                  for s, m in zip(self._spread, self._level, strict=True)]  # fmt: skip
        rule = _Rule(budgets[-1], free, floor, per_number, spread, max(sum(varies), 0.0))
        state = _Selection(paths, [], free, 0.0)
        dearest = int(self.numbers.max()) + 2
        out = []
        for budget in budgets:
            branch = state
            while (step := self._next(branch, budget, rule)) is not None:
                short = budget < rule.most and budget - state.used < dearest
                if branch is state and short and self._next(state, rule.most, rule) != step:
                    branch = state.copy()  # the best no longer fits
                self._add(branch, step, use, rule)
            out.append((list(branch.chosen), branch.explained))
        return out

    def _next(self, at: _Selection, budget: int, rule: _Rule) -> tuple[int, int, int] | None:
        """The candidate, output and price that come next among those that fit."""
        best: tuple[float, tuple[int, int, int]] | None = None
        left = budget - at.used
        if left < 1:
            return None
        held, limits = list({m for m, _ in at.chosen}), self.limits
        cost = limits.cost(at.chosen) * rule.variance
        again = self.numbers + 1
        again[held] = 1
        for c, path in enumerate(at.paths):
            extra = int(c >= rule.free and len(path.along) == 1)
            price = again + extra
            fits = price <= left
            if limits.signs is not None:
                fits &= limits.signs * path.inner >= 0
            gain = np.where(fits, path.gain, 0.0) - cost
            worth = gain / (price - extra * rule.spread) if rule.per_number else gain
            m = int(worth.argmax())
            if gain[m] > rule.floor[c] and (best is None or worth[m] > best[0]):
                best = worth[m], (m, c, int(price[m]))
        return None if best is None else best[1]

    def _start(self, c: int, use: Vector) -> tuple[list[Vector], Vector, Vector]:
        """The intercept alone."""
        total = float(self._total @ use)
        along = (self._ones @ use) / np.sqrt(total)
        level = float(self._level[c] @ use) / np.sqrt(total)
        norms = self._squares @ use - along**2
        return [along], norms, self._targets[c] @ use - along * level

    def _add(self, at: _Selection, step: tuple[int, int, int], use: Vector, rule: _Rule) -> None:
        m, c, price = step
        if self.limits.costs is not None:
            at.explained -= rule.variance * float(np.ravel(self.limits.cost(at.chosen))[m])
        path = at.paths[c]
        gram = self._with(m) @ use
        known = np.stack(path.along)
        gram -= known[:, m] @ known
        length = np.sqrt(float(path.norms[m]))
        along = gram / length
        opened = path.open.copy()
        opened[m] = False
        at.paths[c] = _Path.of(
            [*path.along, along],
            path.norms - along**2,
            path.inner - along * (float(path.inner[m]) / length),
            opened,
            path.least,
        )
        at.chosen.append((m, c))
        at.explained += float(path.inner[m]) ** 2 / float(path.norms[m])
        at.used += price
