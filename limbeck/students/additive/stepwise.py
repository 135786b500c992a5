"""An additive student as a sum of chosen steps, matched to targets by least squares.

A logit, or a value, is matched directly: with the answers of a teacher there is hardly any noise,
so that squared errors on the scale of the scores need no boosting (matching logits: Ba and Caruana
2014). All that a fit needs of the rows are sums, taken once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Features
from limbeck.students.additive.bins import Bins
from limbeck.students.additive.boosting import Terms
from limbeck.students.additive.constraints import Constraints
from limbeck.students.additive.likelihood import refit
from limbeck.students.additive.pairs import best_pairs
from limbeck.students.additive.selection import TermLimits, chosen_terms, weights_of
from limbeck.students.additive.steps import BinMoments, StepTerms

__all__ = ["CLIP", "RIDGES", "StepFit", "StepProblem", "logits"]

Vector = NDArray[np.float64]
Codes = NDArray[np.int64]
CLIP = 3.0
"""Logits are matched within this: beyond it a class is certain, and by how much is no matter."""
RIDGES = (0.001, 0.01, 0.1, 1.0)
"""Penalties of squared weights, per unit of weight of the rows and of variance of the targets."""
_MOST_COLUMNS, _AT_ONCE, _SCREEN_ROWS = 64, 8, 5000  # of wide tables


def logits(shares: Vector) -> Vector:
    """Targets of classes: log-odds of the second of two, else log-probabilities, clipped.

    Parameters
    ----------
    shares : ndarray of shape (n, k)
        Probabilities of the classes.

    Returns
    -------
    ndarray of shape (n, 1) for at most two classes, else (n, k)
    """
    logs = np.log(np.clip(shares, 1e-12, 1.0))
    if shares.shape[1] == 1:
        return np.zeros((len(shares), 1))
    if shares.shape[1] == 2:
        return np.asarray(np.clip(logs[:, 1:] - logs[:, :1], -CLIP, CLIP))
    return np.asarray(np.clip(logs, -CLIP - math.log(shares.shape[1] / 2), 0.0))


@dataclass(frozen=True, eq=False)
class StepFit:
    """Weights of terms (p, k), and intercepts (k,), in the units of the targets."""

    theta: Vector
    intercept: Vector


@dataclass(frozen=True, eq=False)
class StepProblem:
    """Rows in bins, and the terms of which a student is made.

    Parameters
    ----------
    features : Features
        The columns.
    bins : Bins
        How they are cut.
    steps : StepTerms
        The terms.
    cells : list of ndarray
        Where the rows lie in each group of terms.
    codes : ndarray of int, shape (n, d)
        The binned rows.
    target : ndarray of shape (n, k)
        What is matched, divided by ``scale``.
    weight : ndarray of shape (n,)
        Weights of the rows.
    scale : float
        Standard deviation of the targets.
    limits : TermLimits
        What a choice of terms keeps to.
    shares : ndarray of shape (n, classes), optional
        Probabilities whose logits are matched.
    """

    features: Features
    bins: Bins
    steps: StepTerms
    cells: list[Codes]
    codes: Codes
    target: Vector
    weight: Vector
    scale: float
    limits: TermLimits
    shares: Vector | None = None

    @classmethod
    def of(
        cls,
        features: Features,
        values: Vector,
        target: Vector,
        weight: Vector,
        constraints: Constraints,
        bins: int = 32,
        min_rows: float = 5,
        classifies: bool = False,
    ) -> StepProblem:
        """Cut the columns, and find the pairs that are worth a table.

        Parameters
        ----------
        features : Features
            The columns.
        values : ndarray of shape (n, d)
            Encoded rows.
        target : ndarray of shape (n, k)
            Values (k = 1), or probabilities of k classes.
        weight : ndarray of shape (n,)
            Weights of the rows, 1 on average.
        constraints : Constraints
            What was asked for.
        bins, min_rows
            As for `limbeck.students.additive.additive.Additive`.
        classifies : bool
            Whether the targets are probabilities.
        """
        shares = target if classifies else None
        target = logits(target) if classifies else target
        k = target.shape[1]
        usable = constraints.usable(features)
        ways = constraints.directions(features, k)
        cut = Bins.learn(features, values, weight, bins, min_rows)
        codes = cut.codes(values)
        middle = np.average(target, axis=0, weights=weight)
        spread = float(np.sqrt(np.average(((target - middle) ** 2).mean(axis=1), weights=weight)))
        scale = (
            spread if spread > 1e-12 * max(float(np.abs(target).max(initial=0.0)), 1e-300) else 1.0
        )
        scaled = target / scale
        if usable.sum() > _MOST_COLUMNS:
            kept = _screened(codes, cut.counts, scaled - middle / scale, weight, usable)
            usable &= kept
        thin = _without(cut, ~usable)
        codes = codes if thin is cut else thin.codes(values)
        steps = StepTerms.of(thin, features)
        problem = cls(
            features, thin, steps, steps.cells(codes), codes, scaled, weight, scale,
            constraints.limits(steps, features, k, usable), shares,
        )  # fmt: skip
        if not constraints.pairs or usable.sum() < 2:
            return problem
        fit = problem.fit(problem.moments(), 0.01)
        residual = scaled - problem.add_up(fit, problem.cells) / scale
        tables = steps.contributions(fit.theta)
        size = np.array([
            np.average((t[c] ** 2).sum(axis=1), weights=weight)
            for t, c in zip(tables, problem.cells, strict=True)
        ])  # fmt: skip
        order = np.argsort(-size, kind="stable")
        order = order[usable[order] & (ways[order] == 0)]
        pairs = best_pairs(thin, features, codes, residual, weight, order, constraints.pairs)
        wider = StepTerms.of(thin, features, pairs)
        return replace(
            problem, steps=wider, cells=wider.cells(codes),
            limits=constraints.limits(wider, features, k, usable),
        )  # fmt: skip

    def moments(self, at: NDArray[np.bool_] | slice = slice(None)) -> BinMoments:
        """Sums over some rows, all by default."""
        cells = [c[at] for c in self.cells]
        return self.steps.moments(cells, self.target[at], self.weight[at])

    def fit(self, sums: BinMoments, ridge: float, numbers: float | None = None) -> StepFit:
        """A student of at most so many numbers; None for all that the limits allow.

        Parameters
        ----------
        sums : BinMoments
            Over the rows that are learned from.
        ridge : float
            Penalty of squared weights.
        numbers : float, optional
            The most numbers, intercepts included.
        """
        return self.path(sums, ridge, (numbers,))[0]

    def path(
        self, sums: BinMoments, ridge: float, budgets: tuple[float | None, ...]
    ) -> list[StepFit]:
        """A student for each budget of numbers, from one choice of terms.

        Parameters
        ----------
        sums : BinMoments
            Over the rows that are learned from.
        ridge : float
            Penalty of squared weights.
        budgets : tuple of float or None
            The most numbers of each, intercepts included; None for all terms.
        """
        gram, cross = sums.centred()
        k, limits = cross.shape[1], self.limits
        most = max((b for b in budgets if b is not None), default=0.0) - k
        limited = limits.groups is not None or np.isfinite(limits.numbers)
        if None in budgets and limited:
            most = np.inf
        chosen = chosen_terms(
            gram, cross, ridge, replace(limits, numbers=min(limits.numbers, most))
        )
        out = []
        for budget in budgets:
            mask = np.zeros(cross.shape, dtype=bool)
            if budget is None and not limited:
                mask[limits.allowed & (gram.diagonal() > 1e-9)] = True
            else:
                part = chosen.within(np.inf if budget is None else budget - k)
                mask[part.terms, part.outputs] = True
            theta = weights_of(gram, cross, ridge, mask, limits.signs)
            out.append(StepFit(theta * self.scale, sums.intercept(theta) * self.scale))
        return out

    def add_up(self, fit: StepFit, cells: list[Codes]) -> Vector:
        """Scores (n, k) of rows whose cells are known.

        Parameters
        ----------
        fit : StepFit
            The weights.
        cells : list of ndarray
            As ``StepTerms.cells`` gives them.
        """
        return self.steps.add_up(fit.theta, fit.intercept, cells)

    def refined(self, fit: StepFit, ridge: float) -> StepFit:
        """The same terms, with weights whose probabilities are nearest to those that are matched.

        Parameters
        ----------
        fit : StepFit
            Weights that match logits; those that match values are returned as they are.
        ridge : float
            The penalty with which they were made.
        """
        if self.shares is None or self.shares.shape[1] < 2:
            return fit
        start = fit.theta, fit.intercept
        return StepFit(*refit(self.steps, self.cells, self.weight, self.shares, start, ridge,
                              self.limits.signs))  # fmt: skip

    def terms(self, fit: StepFit) -> tuple[Terms, Bins, tuple[Vector, ...]]:
        """The student as tables on as few bins as it needs, and the weight of the rows in each.

        Parameters
        ----------
        fit : StepFit
            The weights.
        """
        found = self.steps.contributions(fit.theta)
        groups = self.steps.groups
        full = [g.over_bins(t) for g, t in zip(groups, found, strict=True)]
        keep = [
            True if len(g.columns) == 1 else bool(t.any())
            for g, t in zip(groups, full, strict=True)
        ]
        columns = [g.columns for g, k in zip(groups, keep, strict=True) if k]
        tables = [t for t, k in zip(full, keep, strict=True) if k]
        firsts: list[Codes] = []
        edges: list[Vector] = []
        levels: list[Codes] = []
        around: list[Vector] = []
        for j in range(len(self.features)):
            mine = [
                np.moveaxis(t, at.index(j), 0).reshape(t.shape[at.index(j)], -1)
                for at, t in zip(columns, tables, strict=True)
                if j in at
            ]
            first, cut, group, seen = _merged(self.bins, j, np.concatenate(mine, axis=1))
            firsts.append(first)
            edges.append(cut)
            levels.append(group)
            around.append(seen)
        between = None if self.bins.between is None else tuple(around)
        small = Bins(tuple(edges), tuple(levels), between)
        tables = [
            t[np.ix_(*(firsts[j] for j in at))] for at, t in zip(columns, tables, strict=True)
        ]
        codes = np.stack([_coded(f, self.bins, small, j, self.codes[:, j])
                          for j, f in enumerate(firsts)], axis=1)  # fmt: skip
        mass = tuple(
            np.bincount(codes[:, j], self.weight, c).astype(np.float64)
            for j, c in enumerate(small.counts)
        )
        return _centred(fit.intercept, columns, tables, codes, self.weight), small, mass


def _centred(
    intercept: Vector,
    columns: list[tuple[int, ...]],
    tables: list[Vector],
    codes: Codes,
    weight: Vector,
) -> Terms:
    """Tables whose means over the rows are 0; without the last axis where there is one output."""
    moved, total = [], intercept.copy()
    for at, table in zip(columns, tables, strict=True):
        mean = np.average(table[tuple(codes[:, j] for j in at)], axis=0, weights=weight)
        total += mean
        moved.append(table - mean)
    if len(intercept) == 1:
        return Terms(float(total[0]), tuple(columns), tuple(t[..., 0] for t in moved))
    return Terms(total, tuple(columns), tuple(moved))


def _merged(bins: Bins, j: int, table: Vector) -> tuple[Codes, Vector, Codes, Vector]:
    """Bins (b, m) of a column that add the same everywhere become one.

    Returns the first old bin of each new one, and edges, groups and values around edges.
    """
    edges, group = bins.edges[j], bins.groups[j]
    last = len(table) - 1  # missing values
    small = 1e-12 * max(float(np.abs(table).max(initial=0.0)), 1e-300)
    between = np.empty((0, 2)) if bins.between is None else bins.between[j]
    if len(group):
        rounded = np.round(table[:last] / small)
        _, first, inverse = np.unique(rounded, axis=0, return_index=True, return_inverse=True)
        order = np.argsort(first, kind="stable")
        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = np.arange(len(order))
        return np.append(first[order], last), edges, rank[inverse.reshape(-1)][group], between
    changes = (np.abs(np.diff(table[:last], axis=0)) > small).any(axis=1)
    first = np.concatenate([[0], np.flatnonzero(changes) + 1, [last]])
    return first, edges[changes], group, between[changes] if len(between) else between


def _coded(first: Codes, old: Bins, new: Bins, j: int, codes: Codes) -> Codes:
    """New bins of rows by their old ones."""
    count, last = old.counts[j], len(first) - 1
    to = np.searchsorted(first, np.arange(count), side="right") - 1
    if len(old.groups[j]):
        to = np.full(count, last)
        to[old.groups[j]] = new.groups[j]
    to[count - 1] = last
    return to[codes]


def _without(bins: Bins, unused: NDArray[np.bool_]) -> Bins:
    """The same bins, and one for all values of a column that is not used."""
    if not unused.any():
        return bins
    edges, groups, between = list(bins.edges), list(bins.groups), list(bins.between or ())
    for j in np.flatnonzero(unused):
        edges[j], groups[j] = edges[j][:0], np.zeros_like(groups[j])
        if between:
            between[j] = between[j][:0]
    return Bins(tuple(edges), tuple(groups), tuple(between) if between else None)


def _screened(
    codes: Codes,
    counts: tuple[int, ...],
    residual: Vector,
    weight: Vector,
    usable: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """The columns that a few rounds of boosting by whole curves take first, at most 64."""
    every = max(1, len(codes) // _SCREEN_ROWS)
    codes, weight, rest = codes[::every], weight[::every], residual[::every].copy()
    taken = np.zeros(codes.shape[1], dtype=bool)
    for _ in range(_MOST_COLUMNS // _AT_ONCE):
        gains = np.zeros(codes.shape[1])
        for j in np.flatnonzero(usable & ~taken):
            gains[j] = _gain(codes[:, j], counts[j], rest, weight)
        for j in np.argsort(-gains, kind="stable")[:_AT_ONCE]:
            taken[j] = usable[j]
            mass = np.bincount(codes[:, j], weight, counts[j]) + 1e-12
            for c in range(rest.shape[1]):
                sums = np.bincount(codes[:, j], weight * rest[:, c], counts[j])
                rest[:, c] -= (sums / mass)[codes[:, j]]
    return taken


def _gain(codes: Codes, count: int, rest: Vector, weight: Vector) -> float:
    """How much of the squared residuals a curve over one column explains."""
    mass = np.bincount(codes, weight, count)
    seen = mass > 0
    sums = np.stack([np.bincount(codes, weight * r, count) for r in rest.T])
    return float((sums[:, seen] ** 2 / mass[seen]).sum())
