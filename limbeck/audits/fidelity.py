"""How well the student follows the score, and the model the outcome, on rows they never saw."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, xlogy

from limbeck.audits.results import Estimate, Fidelity

__all__ = ["auc", "bootstrap", "fidelity"]

_RESAMPLES = 500

Vector = NDArray[np.float64]


def fidelity(
    score: Vector,
    score_out: Vector,
    outcome: Vector | None,
    outcome_out: Vector | None,
    weight: Vector,
    level: float,
    rng: np.random.Generator,
) -> Fidelity:
    """Fit out of fold, with percentile bootstrap intervals over rows (500 resamples).

    Parameters
    ----------
    score, score_out : ndarray of shape (n,)
        The score and its out-of-fold prediction, in the score's units.
    outcome, outcome_out : ndarray of shape (n,) or None
        0 or 1, and the out-of-fold log-odds.
    weight : ndarray of shape (n,)
        Weights of the rows.
    level : float
        Of the intervals. They cover the draw of the rows, not that of the folds.
    rng : Generator
        For the resamples.

    Returns
    -------
    Fidelity
        RMSE and R squared of the score; AUC and log loss of the outcome model; AUC of the score.
    """
    missed = (score - score_out) ** 2

    def rmse(w: Vector) -> float:
        return float(np.sqrt(np.average(missed, weights=w)))

    def r2(w: Vector) -> float:
        spread = np.average((score - np.average(score, weights=w)) ** 2, weights=w)
        return 1 - float(np.average(missed, weights=w) / spread) if spread > 0 else float("nan")

    both = bootstrap([rmse, r2], weight, level, rng)
    if outcome is None or outcome_out is None:
        return Fidelity(both[0], both[1], None, None, None)
    p = np.clip(expit(outcome_out), 1e-12, 1 - 1e-12)
    loss = -(xlogy(outcome, p) + xlogy(1 - outcome, 1 - p))
    of_model, of_score = auc(outcome_out, outcome), auc(score, outcome)
    more = bootstrap(
        [of_model, lambda w: float(np.average(loss, weights=w)), of_score], weight, level, rng
    )
    return Fidelity(both[0], both[1], *more)


def auc(score: Vector, outcome: Vector) -> Callable[[Vector], float]:
    """The area under the ROC curve as a function of the weights (n,); ties count half."""
    at = np.unique(score, return_inverse=True)[1]

    def weighted(w: Vector) -> float:
        hit, miss = np.bincount(at, w * outcome), np.bincount(at, w * (1 - outcome))
        total = float(hit.sum() * miss.sum())
        below = np.cumsum(miss) - miss
        return float((hit * (below + miss / 2)).sum()) / total if total > 0 else float("nan")

    return weighted


def bootstrap(
    measures: list[Callable[[Vector], float]],
    weight: Vector,
    level: float,
    rng: np.random.Generator,
    resamples: int = _RESAMPLES,
) -> list[Estimate]:
    """Each measure with a percentile interval, all from the same resamples of rows."""
    n = len(weight)
    share = np.full(n, 1 / n)
    drawn = [rng.multinomial(n, share) * weight for _ in range(resamples)]
    out = []
    for measure in measures:
        values = [measure(w) for w in drawn if w.sum() > 0]
        low, high = np.nanquantile(values, [(1 - level) / 2, (1 + level) / 2])
        out.append(Estimate(measure(weight), float(low), float(high), level))
    return out
