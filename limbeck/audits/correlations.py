"""The published measures: do the errors of both models go together? (Tan et al. 2018)

They are shown because they were published, and no verdict rests on them: a teacher that used
exactly the audited features gives intervals that exclude 0, as both models miss the same things.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import kendalltau, rankdata

from limbeck.audits.results import Correlation, Estimate
from limbeck.core.errors import InvalidInput

__all__ = ["error_correlations"]

Vector = NDArray[np.float64]
_RESAMPLES = 1000
_MANY, _BLOCKS = 10_000, 2_000
_KENDALL_ROWS = 20_000


def error_correlations(
    score: Vector,
    outcome: Vector,
    score_oof: Vector,
    outcome_oof: Vector,
    *,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[Correlation, ...]:
    """Pearson, Spearman and Kendall correlation of both models' errors, with their signs.

    Parameters
    ----------
    score : ndarray of shape (n,)
        The score.
    outcome : ndarray of shape (n,)
        0 or 1.
    score_oof : ndarray of shape (n,)
        The student's out-of-fold prediction of the score, in the score's unit.
    outcome_oof : ndarray of shape (n,)
        The outcome model's out-of-fold probability of 1.
    level : float
        Level of the intervals.
    seed : int
        Of the resamples.

    Returns
    -------
    tuple of Correlation
        In the order above. An error that never varies has no correlation: 0, from -1 to 1.

    Raises
    ------
    InvalidInput
        If there are fewer than 10 rows.

    Notes
    -----
    On COMPAS signed errors give what was published: 0.135, 0.131 and 0.101, with intervals that
    overlap Tan et al.'s [0.10, 0.15], [0.10, 0.14] and [0.08, 0.10]. Absolute errors do not (0.162,
    0.197 and 0.136): they go together wherever both models are unsure.

    Pearson and Spearman: percentile bootstrap over rows, 1,000 resamples (Efron and Tibshirani
    1993), as these errors are far from normal; for Spearman the ranks are not taken anew in
    each resample. Kendall's tau-b: normal interval on Fisher's scale with the variance
    0.437 / (n - 4) (Fieller, Hartley and Pearson 1957), from at most 20,000 rows.
    """
    n = len(score)
    if n < 10:
        raise InvalidInput(f"{n} rows are too few for a correlation.", "Give at least 10 rows.")
    a, b = score - score_oof, outcome - outcome_oof
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        unknown = Estimate(0.0, -1.0, 1.0, level)
        return tuple(Correlation(name, unknown) for name in ("Pearson", "Spearman", "Kendall"))
    return (
        _resampled("Pearson", a, b, level, seed),
        _resampled("Spearman", rankdata(a), rankdata(b), level, seed),
        _kendall(a, b, level, seed),
    )


def _resampled(
    name: Literal["Pearson", "Spearman"], a: Vector, b: Vector, level: float, seed: int
) -> Correlation:
    rng, n = np.random.default_rng(seed), len(a)
    a, b = (a - a.mean()) / a.std(), (b - b.mean()) / b.std()
    terms = np.column_stack([a, b, a * a, b * b, a * b])  # (n, 5): all that r needs
    if n > _MANY:  # sums of random blocks of rows are as variable, and drawn faster
        block = rng.permutation(n) % _BLOCKS
        terms = np.column_stack([np.bincount(block, t) for t in terms.T])
    m = len(terms)
    means = np.empty((_RESAMPLES, terms.shape[1]))
    for i in range(_RESAMPLES):
        means[i] = np.bincount(rng.integers(0, m, m), minlength=m) @ terms / n
    draws = _r(means)
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return Correlation(name, Estimate(float((a * b).mean()), float(low), float(high), level))


def _r(means: Vector) -> Vector:
    a, b, aa, bb, ab = means.T
    return np.asarray((ab - a * b) / np.sqrt(np.maximum((aa - a * a) * (bb - b * b), 1e-300)))


def _kendall(a: Vector, b: Vector, level: float, seed: int) -> Correlation:
    if len(a) > _KENDALL_ROWS:
        some = np.random.default_rng(seed).choice(len(a), _KENDALL_ROWS, replace=False)
        a, b = a[some], b[some]
    tau = float(kendalltau(a, b).statistic)
    z = np.arctanh(np.clip(tau, -1 + 1e-12, 1 - 1e-12))
    half = float(ndtri((1 + level) / 2)) * np.sqrt(0.437 / (len(a) - 4))
    low, high = np.tanh([z - half, z + half])
    return Correlation("Kendall", Estimate(tau, float(low), float(high), level))
