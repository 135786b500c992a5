"""Sums of all sizes: candidates, selection, refit, and the size by cross-fitting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from limbeck.data.smallest_size import smallest_within
from limbeck.data.splits import FOLDS
from limbeck.students.sparse_sum.candidates import (
    CELLS,
    TREES,
    VALUE_TREES,
    Candidates,
    candidates,
)
from limbeck.students.sparse_sum.crossfit import FoldJudge, pattern
from limbeck.students.sparse_sum.families import families_of, limits_of
from limbeck.students.sparse_sum.growth import SoftmaxGrowth, laid_out, thinned
from limbeck.students.sparse_sum.model import TermWeights, decimals_of, design_of, rounded
from limbeck.students.sparse_sum.refit import refit
from limbeck.students.sparse_sum.selection import Chosen, OrthogonalSelection
from limbeck.students.sparse_sum.signs import signs_of
from limbeck.students.sparse_sum.sum_data import SumData, cross_entropy, row_losses
from limbeck.students.sparse_sum.terms import FilledColumns, medians

__all__ = [
    "DIGITS",
    "SearchedSums",
    "search",
    "search_families",
    "shortened",
    "spans_of",
]

Vector = NDArray[np.float64]
Index = NDArray[np.int64]
SELECT_ROWS = 5000
"""Terms are chosen, and sizes judged, on at most so many rows; weights are fitted to all."""
GROWN = ("columns", "all")
"""Families of which sums for several classes are grown as well."""
LIKELIHOOD, ERRORS = "by likelihood", "by errors"
"""How the names of their variants end."""
FEW = 16
"""Up to so many numbers sums are grown by errors, too, which is what few numbers can mend."""
DIGITS = 3
"""Significant digits of weights: what is printed is what is computed."""


@dataclass(frozen=True)
class SearchedSums:
    """What a search found.

    Parameters
    ----------
    fill : ndarray of shape (d,)
        What a missing value counts as.
    sizes : tuple of int
        Budgets in numbers, increasing.
    sums : tuple of TermWeights
        The best within each.
    losses : ndarray of shape (sizes, n), or None
        Losses of each on rows left out; None where there are too few rows.
    weight : ndarray of shape (n,)
        How much each of those rows counts.
    families : tuple of str
        The kinds of terms that each uses beside columns and levels.
    chosen : int
        The position of the size that was chosen.
    candidates : int
        How many terms there were to choose among.
    """

    fill: Vector
    sizes: tuple[int, ...]
    sums: tuple[TermWeights, ...]
    families: tuple[str, ...]
    losses: Vector | None
    weight: Vector
    chosen: int
    candidates: int


def spans_of(found: TermWeights, data: SumData, fill: Vector) -> Vector:
    """By how much each term varies, of shape (t,): 1 for a term that is 0 or 1.

    Parameters
    ----------
    found : TermWeights
        The sum.
    data : SumData
        Rows.
    fill : ndarray of shape (d,)
        What a missing value counts as.
    """
    columns = FilledColumns(data.values, fill)
    out = np.ones(len(found.terms))
    for i, term in enumerate(found.terms):
        if term.kind != "all":
            low, high = np.quantile(term.evaluate(columns), [0.05, 0.95])
            out[i] = high - low
    return out


@dataclass(frozen=True, eq=False)
class _Offer:
    """Terms on the rows on which they are chosen, and the families among which a sum is chosen."""

    part: SumData
    columns: FilledColumns
    pool: Candidates
    chooser: OrthogonalSelection
    families: dict[str, NDArray[np.bool_]]
    signs: Vector | None
    grown: tuple[str, ...]  # families of which sums for several classes are grown, too

    @classmethod
    def of(
        cls, part: SumData, fill: Vector, hinges: bool, rules: bool, per: Vector | None
    ) -> _Offer:
        columns, targets = FilledColumns(part.values, fill), part.targets()
        pool = candidates(
            part.features, columns, targets, part.weight, hinges=hinges, rules=rules, per=per,
            trees=TREES if part.classifies else VALUE_TREES,
        )  # fmt: skip
        numbers = np.array([t.numbers for t in pool.terms], dtype=np.int64)
        limits, possible = limits_of(pool, part)
        chooser = OrthogonalSelection(pool.matrix, targets, part.weight, part.fold, numbers, limits)
        grows = part.classes > 2 and part.costs is None
        families = families_of(pool, possible)
        return cls(part, columns, pool, chooser, families, limits.signs, GROWN if grows else ())

    @property
    def names(self) -> list[str]:
        """Of all families."""
        return [*self.families, *(f"{name}, {LIKELIHOOD}" for name in self.grown)]

    def chosen(
        self, name: str, sizes: Sequence[int], without: int | None = None, spread: bool = False
    ) -> list[Chosen]:
        """The terms of a family within each size by least squares, on all folds or without one."""
        free = 1 if self.chooser.outputs == 1 else 0
        return self.chooser.choose(sizes, self.families[name], without, free, spread)

    def growth(self, rows: Index | None = None) -> SoftmaxGrowth:
        """Growth on the rows, or on some of them."""
        at = np.arange(len(self.part.values)) if rows is None else rows
        at = at[thinned(len(at))]
        own = FilledColumns(self.part.values[at], self.columns.fill)
        return SoftmaxGrowth(self.pool.terms, own, self.part.soft[at], self.part.weight[at])

    def left_out(self, sizes: Sequence[int]) -> tuple[Vector, Vector]:
        """Losses and cross-entropies of each family, size and row, without the row's fold."""
        shape = (len(self.names), len(sizes), len(self.part.values))
        losses, soft = np.zeros(shape), np.zeros(shape)
        for at in range(int(self.part.fold.max()) + 1):
            if not (0 < (self.part.fold == at).sum() < len(self.part.fold)):
                continue
            judge = FoldJudge(self.part, self.pool.matrix, at, self.signs)
            inside = judge.inside
            for i, name in enumerate(self.families):
                for j, chosen in enumerate(self.chosen(name, sizes, at)):
                    losses[i, j, inside], soft[i, j, inside] = judge.losses(chosen)
            growth = self.growth(judge.rest) if self.grown else None
            for i, name in enumerate(self.grown, len(self.families)):
                assert growth is not None  # noqa: S101
                for j, made in enumerate(growth.grow(sizes, self.families[name])):
                    total = made.found.totals(
                        FilledColumns(self.part.values[inside], self.columns.fill)
                    )
                    losses[i, j, inside] = row_losses(total, self.part, inside)
                    soft[i, j, inside] = cross_entropy(total, self.part.soft[inside])
        return losses, soft

    def sums(
        self, best: Sequence[int], sizes: Sequence[int], at: int, data: SumData, digits: int | None
    ) -> list[TermWeights]:
        """The sum of the best family of each size; that at one place is fitted to all rows."""
        whole = FilledColumns(data.values, self.columns.fill)
        plain = {i: self.chosen(self.names[i], sizes) for i in set(best) if i < len(self.families)}
        grown = {}
        for i in set(best) - set(plain):
            name = self.grown[i - len(self.families)]
            grown[i] = [g.chosen for g in self.growth().grow(sizes, self.families[name])]
        out = []
        for j, i in enumerate(best):  # those that are not chosen are for comparison
            rows = (whole, data) if j == at else (self.columns, self.part)
            chosen = (grown if i in grown else plain)[i][j]
            out.append(_fitted(chosen, self.pool, *rows, digits, i in grown))
        return out


def search_families(
    data: SumData,
    sizes: Sequence[int],
    rng: np.random.Generator,
    *,
    hinges: bool = True,
    rules: bool = True,
    per: Vector | None = None,
    digits: int | None = DIGITS,
) -> tuple[Vector, dict[str, list[TermWeights]]]:
    """What a missing value counts as, and a sum of each size within each family of terms.

    Parameters
    ----------
    data, sizes, rng, hinges, rules, per, digits
        As for :func:`search`, which chooses between families by cross-fitting.
    """
    data = data.take(np.flatnonzero(data.weight > 0))
    fill = medians(data.features, data.values)
    if data.classes == 1:
        return fill, {"columns": [TermWeights((), np.zeros((0, 1)), np.ones(1))]}
    part = _some(data, rng)
    offer = _Offer.of(
        replace(part, fold=np.zeros(len(part.values), dtype=np.int64)), fill, hinges, rules, per
    )
    pool, whole = offer.pool, FilledColumns(data.values, fill)
    several = data.classes > 2
    known: dict[tuple[tuple[int, int], ...], tuple[float, TermWeights]] = {}

    def fitted(chosen: Chosen) -> tuple[float, TermWeights]:
        key = tuple(chosen)
        if key not in known:
            made = _fitted(chosen, pool, whole, data, digits)
            known[key] = (_disagreement(made, whole, data) if several else 0.0), made
        return known[key]

    found: dict[str, list[TermWeights]] = {}
    for name in offer.families:
        ways = [offer.chosen(name, sizes)]
        if several:  # of as many numbers, so that the rows that they are fitted to may decide
            ways.append(offer.chosen(name, sizes, spread=True))
        pairs = zip(*ways, strict=True)
        found[name] = [min(map(fitted, pair), key=lambda made: made[0])[1] for pair in pairs]
    growth = offer.growth() if offer.grown else None
    for name in offer.grown:
        assert growth is not None  # noqa: S101
        for errors, by in ((False, LIKELIHOOD), (True, ERRORS)):
            few = [size for size in sizes if size <= FEW or not errors]
            grown = growth.grow(few, offer.families[name], errors)
            sums = [_fitted(g.chosen, pool, whole, data, digits, True) for g in grown]
            found[f"{name}, {by}"] = sums
    return fill, found


def _disagreement(found: TermWeights, columns: FilledColumns, data: SumData) -> float:
    """The share of the weight on which a sum says another class than the teacher."""
    lost = row_losses(found.totals(columns), data, np.arange(len(data.values)))
    return float(np.average(lost, weights=data.weight))


def search(
    data: SumData,
    sizes: Sequence[int],
    rng: np.random.Generator,
    *,
    epsilon: float = 0.0,
    fixed: bool = False,
    hinges: bool = True,
    rules: bool = True,
    per: Vector | None = None,
    digits: int | None = DIGITS,
) -> SearchedSums:
    """The best sum of each size, and which of them to take.

    Chosen is the smallest whose loss on rows left out is within ``epsilon / 2``, or within one
    standard error of the best (Breiman et al. 1984, section 3.4.3).

    Parameters
    ----------
    data : SumData
        Rows and answers.
    sizes : sequence of int
        Budgets in numbers, increasing.
    rng : numpy.random.Generator
        Chooses the rows of the selection, where there are many.
    epsilon : float
        The loss that is good enough.
    fixed : bool
        Take the largest size, without cross-fitting.
    hinges, rules : bool
        Whether to offer them.
    per : ndarray of shape (d,), optional
        The step in which each number is counted.
    digits : int or None
        Significant digits of the weights; None for all.
    """
    data = data.take(np.flatnonzero(data.weight > 0))
    fill = medians(data.features, data.values)
    if data.classes == 1:
        always = TermWeights((), np.zeros((0, 1)), np.ones(1))
        return SearchedSums(
            fill, tuple(sizes[:1]), (always,), ("columns",), None, data.weight, 0, 0
        )
    part = _some(data, rng)
    part = part.take(np.argsort(part.fold, kind="stable"))
    offer = _Offer.of(part, fill, hinges, rules, per)
    names, counted = offer.names, part.weight[part.judged]
    cross = len(part.values) >= 2 * FOLDS and part.fold.max() > 0
    best, at, kept = [names.index("all")] * len(sizes), len(sizes) - 1, None
    if cross:
        losses, soft = offer.left_out(sizes)
        means = np.average(soft[:, :, part.judged], axis=2, weights=counted)
        best = means.argmin(axis=0).tolist()
        kept = losses[best, np.arange(len(sizes))][:, part.judged]
        at = at if fixed else smallest_within(kept, counted, epsilon)
    return SearchedSums(
        fill, tuple(sizes), tuple(offer.sums(best, sizes, at, data, digits)),
        tuple(names[i] for i in best), kept, counted, at, len(offer.pool.terms),
    )  # fmt: skip


def _some(data: SumData, rng: np.random.Generator) -> SumData:
    """The rows on which terms are chosen."""
    d = data.values.shape[1]
    most = max(1000, min(SELECT_ROWS, CELLS // (10 * d)))
    n = len(data.values)
    if n <= most:
        return data
    return data.take(np.sort(rng.choice(n, most, replace=False)))


def _fitted(
    chosen: Chosen,
    pool: Candidates,
    columns: FilledColumns,
    data: SumData,
    digits: int | None,
    grown: bool = False,
) -> TermWeights:
    """A sum of the chosen terms with weights fitted to the soft answers."""
    if grown:
        order, used, intercepts = laid_out(chosen, data.classes)
    else:
        order = list(dict.fromkeys(m for m, _ in chosen))
        used, intercepts = pattern(chosen, order, data)
    terms = [pool.terms[m] for m in order]
    design = design_of(terms, columns)
    signs = None if data.rises is None else signs_of(terms, data.rises)
    weights, intercept = refit(
        design, used, intercepts, data.soft, data.weight, data.classifies, signs=signs
    )
    found = TermWeights(tuple(terms), weights, intercept)
    found = found if digits is None else shortened(found, design, data, digits)
    return found if signs is None else found.without_zeros()


def shortened(found: TermWeights, design: Vector, data: SumData, digits: int) -> TermWeights:
    """The sum with weights of so many digits, and intercepts that make up for the rounding.

    Parameters
    ----------
    found : TermWeights
        With weights in full.
    design : ndarray of shape (n, t)
        The value of each term on each row.
    data : SumData
        Rows and answers.
    digits : int
        Significant digits of the weights, at least; intercepts get as many decimals as tell
        ``10 ** digits`` steps of the sum apart.
    """
    total = design @ found.weights
    for kept in range(digits, 9):  # more where terms are alike and nearly cancel each other
        weights = rounded(found.weights, kept)
        if np.all((design @ weights - total).std(axis=0) <= 0.005 * total.std(axis=0)):
            break
    mean = np.average(design, axis=0, weights=data.weight) if len(weights) else np.zeros(0)
    intercept = found.intercept + mean @ (found.weights - weights)
    scale = 1.0
    if not data.classifies:
        scale = float(np.std(data.soft)) or float(abs(intercept[0]))
    places = decimals_of(scale, digits)
    used = found.intercept != 0
    short = np.where(used, np.round(intercept, places), 0.0)
    short = np.where(used & (short == 0) & (len(used) > 1), 10.0**-places, short)
    return TermWeights(found.terms, weights, short + 0.0)
