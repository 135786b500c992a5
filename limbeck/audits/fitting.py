"""The student of the score and the model of the outcome: same bins, same folds, same bags.

Shapes: n rows, d features, p bins of all features together, b bags.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from limbeck.audits.audited_rows import AuditTable
from limbeck.audits.calibration import Curve, fit_curve
from limbeck.audits.refit import Design, Fit, Optimum, Refit, one_step, refit
from limbeck.audits.results import Folds
from limbeck.core.pieces import digest, kept, piece
from limbeck.core.progress import Progress
from limbeck.students.additive.bins import Bins
from limbeck.students.additive.boosting import Terms, boost

__all__ = [
    "ENOUGH_BAGS",
    "Bags",
    "Models",
    "fit_models",
    "in_threads",
    "mains",
    "make_folds",
    "some_rows",
]

T = TypeVar("T")
Vector = NDArray[np.float64]
Codes = NDArray[np.int64]

_MOST_BINS = 16
ENOUGH_BAGS = 40
"""An interrupted audit ends with what it has once this many bags are fitted."""
_SHARE = 0.01
"""The least share of rows in a bin of a number."""
_MANY = 20_000
"""With more rows bags take one step from the models of all rows."""
_NARROW = 2_000
_MOST_BOOSTED = 50_000
"""Boosting sees so many rows; the Newton steps after it see all."""
_RARE = 25.0
"""Categories with fewer rows share a bin."""


@dataclass(frozen=True, eq=False)
class Bags:
    """What each of b bags says; ``nan`` where there is no outcome.

    ``score`` and ``outcome`` (b, p) are contributions after Newton steps, ``score_spread`` and
    ``outcome_spread`` (b,) the standard deviations of their predictions without noise. ``own``
    (b, p) are contributions to the score's own log-odds; ``nan`` where it is no probability.
    """

    score: Vector
    outcome: Vector
    score_spread: Vector
    outcome_spread: Vector
    own: Vector

    def __len__(self) -> int:
        return len(self.score)


@dataclass(frozen=True, eq=False)
class Models:
    """Both additive models of an audit.

    Parameters
    ----------
    bins : Bins
        Shared by all models.
    codes : ndarray of int64, shape (n, d)
        The binned rows.
    design : Design
        The same, as positions among p bins.
    mass : ndarray of shape (p,)
        The weight of each bin.
    folds : Folds
        Shared by both cross-fitted predictions.
    score_out, outcome_out : ndarray of shape (n,)
        Out-of-fold predictions of the score, in its own units, and of the outcome's log-odds (None
        without outcome).
    student, model : Terms
        The boosted student of the calibrated score, and the boosted model of the outcome, of
        all rows.
    score, outcome : Refit
        The same after Newton steps.
    own : Refit or None
        The student of the score's own log-odds, where it is a probability and there is an outcome.
    bags : Bags
        Paired bootstrap bags of both.
    """

    bins: Bins
    codes: Codes
    design: Design
    mass: Vector
    folds: Folds
    score_out: Vector
    outcome_out: Vector | None
    student: Terms
    model: Terms | None
    score: Refit
    outcome: Refit | None
    own: Refit | None
    bags: Bags
    drawn: Callable[[int], Vector]
    """The weights (n,) of the rows in a bag."""


@dataclass(frozen=True, eq=False)
class _Task:
    """All that a fit needs besides weights."""

    codes: Codes
    counts: tuple[int, ...]
    nominal: tuple[bool, ...]
    design: Design
    raw: Vector
    curve: Curve
    outcome: Vector | None
    pairs: int
    rounds: int
    at: Codes | None
    """With many rows, which of 2,000 narrow bins of the score a row is in: a bag's curve is fitted
    to their means."""


def make_folds(n: int, number: int, rng: np.random.Generator, cases: Codes | None = None) -> Folds:
    """Random folds of equal size, shared by all models of an audit.

    Parameters
    ----------
    n : int
        Rows.
    number : int
        Folds.
    rng : Generator
        For the draw.
    cases : ndarray of int64, shape (n,), optional
        The case of each row, from 0 on: rows of one case share a fold, and folds have equally many
        cases.
    """
    if cases is None:
        return Folds(rng.permutation(n) % number, number)
    return Folds((rng.permutation(int(cases.max()) + 1) % number)[cases], number)


def shared_bins(table: AuditTable) -> Bins:
    """At most 16 bins a number, each with 1% of the rows and with 25; rare categories pooled."""
    mass = table.mass
    n = int(mass.sum()) if table.frequency is not None else len(table)
    return Bins.learn(
        table.features, table.values, mass * (n / mass.sum()),
        int(np.clip(n // 150, 4, _MOST_BINS)), max(_RARE, _SHARE * n), _RARE,
    )  # fmt: skip


def fit_models(
    table: AuditTable,
    curve: Curve,
    folds: Folds,
    *,
    pairs: int,
    bags: int,
    rng: np.random.Generator,
    tell: Progress,
    rounds: int = 200,
) -> Models:
    """Fit both models by folds, on all rows and on bags.

    Parameters
    ----------
    table : AuditTable
        The rows.
    curve : Curve
        From score to calibrated log-odds; refitted in each bag.
    folds : Folds
        Which fold each row is in.
    pairs : int
        The most pairs of features in either model; they are kept out of the compared shapes.
    bags : int
        Paired bootstrap bags of whole cases: both models see the same redrawn rows. A row that
        stands for w people is redrawn Poisson(w) times; sampling weights multiply redrawn rows.
    rng : Generator
        For the bags.
    tell : Progress
        Told of each fit.
    rounds : int
        Of boosting; 0 starts the Newton steps from a constant, for simulations.

    Returns
    -------
    Models
        Both models.
    """
    bins = shared_bins(table)
    codes = bins.codes(table.values)
    design = Design.of(codes, bins.counts)
    nominal = tuple(c.kind == "categorical" for c in table.features.columns)
    task = _Task(
        codes, bins.counts, nominal, design, table.score, curve, table.outcome, pairs, rounds,
        _narrow(table.score) if len(table) > _MANY else None,
    )  # fmt: skip
    weight = table.evidence
    made_from = _made_from(table, folds, task, rng) if kept() else ""
    score_out = np.empty(len(table))
    outcome_out = None if table.outcome is None else np.empty(len(table))

    def fold(k: int) -> None:
        test = folds.of == k
        w = np.where(test, 0.0, weight)
        said = piece(f"fold-{k}", lambda: made_from, lambda: [
            None if of is None else _boost(task, of, w, of is table.outcome).add_up(codes[test])
            for of in (table.score, table.outcome)
        ])  # fmt: skip
        score_out[test] = said[0]
        if outcome_out is not None:
            outcome_out[test] = said[1]

    ways: list[Callable[[], _Side]] = [
        lambda: _side(task, lambda w: _bag_curve(task, w)(task.raw), curve(task.raw), weight)
    ]
    if (happened := task.outcome) is not None:
        ways.append(lambda: _side(task, None, happened, weight, classifies=True))
        if curve.logged:
            ways.append(lambda: _side(task, None, curve.scale(task.raw), weight))
    fits = folds.number + len(ways)
    tell("models of folds and of all rows", 0, fits)

    def fitted(k: int) -> _Side | None:
        if k >= folds.number:
            return ways[k - folds.number]()
        fold(k)
        return None

    # at once: no processor waits for the last fold
    sides = [side for side in in_threads(fitted, range(fits)) if side is not None]
    calibrated = sides[0]
    streams = rng.spawn(bags)
    scale = float(weight.sum() / table.mass.sum())

    def drawn(i: int) -> Vector:
        return scale * table.redraw(copy.deepcopy(streams[i]))

    found = _bags(task, sides, drawn, bags, tell, made_from)
    mass = table.mass if table.frequency is not None else table.mass / table.mass.mean()
    return Models(
        bins, codes, design, design.sums(mass), folds, score_out, outcome_out,
        calibrated.terms, sides[1].terms if len(sides) > 1 else None,
        calibrated.found, sides[1].found if len(sides) > 1 else None,
        sides[2].found if len(sides) > 2 else None, found, drawn,
    )  # fmt: skip


def _made_from(table: AuditTable, folds: Folds, task: _Task, rng: np.random.Generator) -> str:
    """A hash of all that folds and bags depend on, for the pieces of a run."""
    arrays = [table.values, table.score, table.outcome, table.evidence, table.mass, table.cases]
    settings = [task.counts, task.nominal, task.pairs, task.rounds, task.curve(task.raw[:1000])]
    return digest([arrays, settings, folds.of, task.codes, rng.bit_generator.state])


def _boost(task: _Task, target: Vector, weight: Vector, classifies: bool) -> Terms:
    return boost(
        task.codes, task.counts, task.nominal, target, some_rows(weight),
        classifies=classifies, pairs=task.pairs, rounds=task.rounds,
    )  # fmt: skip


def _narrow(score: Vector) -> Codes:
    cuts = np.unique(np.quantile(score, np.arange(1, _NARROW) / _NARROW))
    return np.searchsorted(cuts, score).astype(np.int64)


def in_threads(fit: Callable[[int], T], of: Iterable[int]) -> list[T]:
    """Several independent fits, in their order: boosting runs outside Python's lock.

    Parameters
    ----------
    fit : callable
        Makes one fit from its number.
    of : iterable of int
        The numbers.
    """
    with ThreadPoolExecutor(min(os.cpu_count() or 1, 8)) as pool:
        waiting = [pool.submit(copy_context().run, fit, i) for i in of]
        return [one.result() for one in waiting]


def some_rows(weight: Vector) -> Vector:
    """Weights (n,) of at most 50,000 rows, at random; boosting gains nothing from more."""
    used = np.flatnonzero(weight > 0)
    if len(used) <= _MOST_BOOSTED:
        return weight
    kept = np.random.default_rng(0).choice(used, _MOST_BOOSTED, replace=False)
    out = np.zeros_like(weight)
    out[kept] = weight[kept]
    return out


@dataclass(frozen=True, eq=False)
class _Start:
    """Where Newton steps begin: contributions (p,), the intercept, and what pairs add (n,)."""

    theta: Vector
    intercept: float
    offset: Vector


def _start(task: _Task, terms: Terms) -> _Start:
    offset = np.zeros(len(task.codes))
    for at, table in zip(terms.columns, terms.tables, strict=True):
        if len(at) == 2:
            offset += table[task.codes[:, at[0]], task.codes[:, at[1]]]
    return _Start(mains(terms), float(terms.intercept), offset)


@dataclass(frozen=True, eq=False)
class _Side:
    """One of the models that are refitted in each bag: of the score, of the outcome.

    ``redrawn`` gives its target (n,) in a bag of these weights, where that is not ``target``.
    """

    terms: Terms
    start: _Start
    found: Refit
    target: Vector
    redrawn: Callable[[Vector], Vector] | None
    classifies: bool

    def fit(self, weight: Vector) -> Fit:
        """Newton steps from the model of all rows to a bag's own optimum."""
        target = self.target if self.redrawn is None else self.redrawn(weight)
        return _fit(target, weight, self.start, self.classifies, self.found.optimum)


def _side(
    task: _Task,
    redrawn: Callable[[Vector], Vector] | None,
    target: Vector,
    weight: Vector,
    classifies: bool = False,
) -> _Side:
    terms = _boost(task, target, weight, classifies)
    start = _start(task, terms)
    found = refit(task.design, [_fit(target, weight, start, classifies)])[0]
    return _Side(terms, start, found, target, redrawn, classifies)


def _fit(
    target: Vector, weight: Vector, start: _Start, classifies: bool, near: Optimum | None = None
) -> Fit:
    return Fit(target, weight, start.theta, start.intercept, start.offset, classifies, near)


def _in_bags(task: _Task, sides: list[_Side], weights: list[Vector]) -> list[list[Refit]]:
    """The models of some bags, by bag and side; one Newton step each with many rows."""
    optima = [s.found.optimum for s in sides if s.found.optimum is not None]
    if len(task.raw) > _MANY and len(optima) == len(sides):
        return [
            [
                one_step(task.design, fit.target, w, at, fit.classifies)
                for fit, at in zip([s.fit(w) for s in sides], optima, strict=True)
            ]
            for w in weights
        ]
    several = refit(task.design, [s.fit(w) for w in weights for s in sides])
    return [several[i : i + len(sides)] for i in range(0, len(several), len(sides))]


def mains(terms: Terms) -> Vector:
    """The tables of all single columns, one after the other, shape (p,)."""
    parts = [t for at, t in zip(terms.columns, terms.tables, strict=True) if len(at) == 1]
    return np.concatenate(parts)


def _bag_curve(task: _Task, weight: Vector) -> Curve:
    if task.curve.method == "none" or task.outcome is None:
        return task.curve
    if task.at is None:
        return fit_curve(task.raw, task.outcome, weight, task.curve.method)
    n: Vector = np.bincount(task.at, weight).astype(np.float64)
    used = n > 0
    score = np.bincount(task.at, weight * task.raw)[used] / n[used]
    rate = np.bincount(task.at, weight * task.outcome)[used] / n[used]
    return fit_curve(score, rate, n[used], task.curve.method)


def _bags(
    task: _Task,
    sides: list[_Side],
    drawn: Callable[[int], Vector],
    bags: int,
    tell: Progress,
    made_from: str,
) -> Bags:
    p = task.design.starts[-1]
    together = task.design.at_once

    def refits(first: int) -> list[list[Refit]]:
        weights = [drawn(i) for i in range(first, min(first + together, bags))]
        return _in_bags(task, sides, weights)

    def some(first: int) -> list[list[Refit]]:
        return piece(
            f"bags-{first}", lambda: [made_from, together, bags], lambda: refits(first),
            write=lambda found: [[[one.theta, one.spread] for one in bag] for bag in found],
            read=lambda found: [[Refit(*one) for one in bag] for bag in found],
        )  # fmt: skip

    found: list[list[Refit]] = []
    tell("bags", 0, bags)
    # sums over rows run outside Python's lock, so that threads share the rows at no cost
    with ThreadPoolExecutor(min(os.cpu_count() or 1, 8)) as pool:
        waiting = [pool.submit(copy_context().run, some, i) for i in range(0, bags, together)]
        try:
            for ready in waiting:
                for one in ready.result():
                    found.append(one)
                    tell("bags", len(found), bags)
        except KeyboardInterrupt:
            if len(found) < ENOUGH_BAGS:
                raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    absent = Refit(np.full(p, np.nan), np.nan)

    def of(k: int) -> list[Refit]:
        return [f[k] if k < len(f) else absent for f in found]

    score, outcome, own = of(0), of(1), of(2)
    return Bags(
        np.array([f.theta for f in score]).reshape(-1, p),
        np.array([f.theta for f in outcome]).reshape(-1, p),
        np.array([f.spread for f in score]),
        np.array([f.spread for f in outcome]),
        np.array([f.theta for f in own]).reshape(-1, p),
    )
