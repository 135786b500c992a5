"""How well the student follows the score, and the model the outcome, on rows they never saw."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, xlogy

from limbeck.audits.audited_rows import AuditTable
from limbeck.audits.results import Estimate, Fidelity

__all__ = ["auc", "bootstrap", "fidelity", "weighted_mean"]

_RESAMPLES = 500
_MANY_CASES, _BLOCKS = 5_000, 2_000

Vector = NDArray[np.float64]


def fidelity(
    table: AuditTable,
    score_out: Vector,
    outcome_out: Vector | None,
    level: float,
    rng: np.random.Generator,
) -> Fidelity:
    """Fit out of fold, with percentile bootstrap intervals over cases (500 resamples).

    Parameters
    ----------
    table : AuditTable
        The rows.
    score_out : ndarray of shape (n,)
        The score's out-of-fold prediction, in its units.
    outcome_out : ndarray of shape (n,) or None
        The outcome's out-of-fold log-odds.
    level : float
        Of the intervals. They cover the draw of the cases, not that of the folds.
    rng : Generator
        For the resamples.

    Returns
    -------
    Fidelity
        RMSE and R squared of the score; AUC and log loss of the outcome model; AUC of the score.
    """
    score, outcome = table.score, table.outcome
    missed = (score - score_out) ** 2

    def rmse(w: Vector) -> float:
        return float(np.sqrt(weighted_mean(missed, w)))

    def r2(w: Vector) -> float:
        spread = weighted_mean((score - weighted_mean(score, w)) ** 2, w)
        return 1 - weighted_mean(missed, w) / spread if spread > 0 else float("nan")

    both = bootstrap([rmse, r2], table, level, rng)
    if outcome is None or outcome_out is None:
        return Fidelity(both[0], both[1], None, None, None)
    p = np.clip(expit(outcome_out), 1e-12, 1 - 1e-12)
    loss = -(xlogy(outcome, p) + xlogy(1 - outcome, 1 - p))
    of_model, of_score = auc(outcome_out, outcome), auc(score, outcome)
    more = bootstrap([of_model, lambda w: weighted_mean(loss, w), of_score], table, level, rng)
    return Fidelity(both[0], both[1], *more)


def weighted_mean(v: Vector, weight: Vector) -> float:
    """What `numpy.average` gives of numbers (n,), without its checks: there are 500 resamples.

    Parameters
    ----------
    v : ndarray of shape (n,)
        The numbers.
    weight : ndarray of shape (n,)
        Their weights; the sum is above 0.
    """
    return float((v * weight).sum() / weight.sum())


def auc(score: Vector, outcome: Vector) -> Callable[[Vector], float]:
    """The area under the ROC curve as a function of the weights (n,); ties count half.

    Parameters
    ----------
    score : ndarray of shape (n,)
        The score.
    outcome : ndarray of shape (n,)
        0 or 1.
    """
    seen, at = np.unique(score, return_inverse=True)
    ones, zeros = np.flatnonzero(outcome == 1), np.flatnonzero(outcome == 0)
    at_ones, at_zeros, m = at[ones], at[zeros], len(seen)

    def weighted(w: Vector) -> float:
        hit, miss = np.bincount(at_ones, w[ones], m), np.bincount(at_zeros, w[zeros], m)
        total = float(hit.sum() * miss.sum())
        below = np.cumsum(miss) - miss
        return float((hit * (below + miss / 2)).sum()) / total if total > 0 else float("nan")

    return weighted


def bootstrap(
    measures: list[Callable[[Vector], float]],
    table: AuditTable,
    level: float,
    rng: np.random.Generator,
    rows: NDArray[np.bool_] | None = None,
    resamples: int = _RESAMPLES,
) -> list[Estimate]:
    """Each measure with a percentile interval, all from the same resamples of whole cases.

    With more than 5,000 cases, 2,000 random blocks of them are resampled in their place: their
    sums are as variable, and are drawn much faster (Efron and Tibshirani 1993, ch. 23).

    Parameters
    ----------
    measures : list of functions
        From weights (n,) of the rows to a number.
    table : AuditTable
        With the weights and cases.
    level : float
        Of the intervals.
    rng : Generator
        For the resamples.
    rows : ndarray of bool, shape (n,), optional
        Rows that count; the measures get weights of these alone.
    resamples : int
        Of the cases.
    """
    kept = np.ones(len(table), dtype=bool) if rows is None else rows
    mass = table.mass[kept]
    drawn = _resampled(table, kept, rng)
    values: list[list[float]] = [[] for _ in measures]
    for _ in range(resamples):
        w = drawn()
        if w.sum() > 0:
            for found, measure in zip(values, measures, strict=True):
                found.append(measure(w))
    out = []
    for found, measure in zip(values, measures, strict=True):
        low, high = np.nanquantile(found, [(1 - level) / 2, (1 + level) / 2])
        out.append(Estimate(measure(mass), float(low), float(high), level))
    return out


def _resampled(
    table: AuditTable, kept: NDArray[np.bool_], rng: np.random.Generator
) -> Callable[[], Vector]:
    mass = table.mass[kept]
    if table.frequency is not None:
        return lambda: rng.poisson(mass).astype(np.float64)
    unit = np.unique(table.cases[kept], return_inverse=True)[1]
    m = int(unit.max()) + 1
    if m > _MANY_CASES:
        unit = (rng.permutation(m) % _BLOCKS)[unit]
        m = _BLOCKS
    share = np.full(m, 1 / m)
    return lambda: np.asarray(rng.multinomial(m, share)[unit] * mass)
