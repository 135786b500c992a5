"""What repeats when training is repeated: intervals that cover other seeds and other rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student_t

from limbeck.certificates.binomial import interval, paired_interval
from limbeck.core.measured import Measured
from limbeck.evaluation.comparison import Difference

__all__ = ["gain_over", "mean_over"]


def mean_over(
    scores: NDArray[np.float64], delta: float, within: tuple[float, float] = (-np.inf, np.inf)
) -> Measured:
    """The mean of scores and an interval for it.

    Parameters
    ----------
    scores : ndarray of shape (s, n)
        A score for each of s seeds and n rows, such as 1 for a right answer.
    delta : float
        One less the level of the interval.
    within : (float, float)
        What a mean can be at all: the interval is cut there. Of scores of 0 and 1 it is a share.

    Returns
    -------
    Measured
        Exact (Clopper and Pearson 1934) for one seed and scores of 0 and 1; else `_spread`'s.
    """
    least, most = within
    if _right_or_wrong(scores):
        if len(scores) == 1:
            n, right = scores.shape[1], int(scores.sum())
            return Measured(right / n, *interval(right, n, delta))
        least, most = max(least, 0.0), min(most, 1.0)
    middle, half = float(scores.mean()), _spread(scores, delta)
    return Measured(middle, max(middle - half, least), min(middle + half, most))


def gain_over(
    what: str, ours: NDArray[np.float64], theirs: NDArray[np.float64], delta: float
) -> Difference:
    """The paired difference of two models' scores, with an interval.

    Parameters
    ----------
    what : str
        What the score is, in words.
    ours, theirs : ndarray of shape (s, n)
        Scores by seed and row; the same seed and row belong together.
    delta : float
        One less the level of the interval.

    Returns
    -------
    Difference
        Exact (McNemar 1947) for one seed and scores of 0 and 1; else `_spread`'s. One seed
        cannot show run-to-run variability: the interval is then for these two models only. Of
        scores of 0 and 1 it is cut at -1 and 1, beyond which no difference of shares lies.
    """
    d = ours - theirs  # (s, n)
    shares = _right_or_wrong(ours) and _right_or_wrong(theirs)
    if len(d) == 1 and shares:
        more, less = int((d > 0).sum()), int((d < 0).sum())
        low, high = paired_interval(more, less, d.shape[1], delta)
        return Difference(what, (more - less) / d.shape[1], low, high)
    middle, half = float(d.mean()), _spread(d, delta)
    most = 1.0 if shares else np.inf
    return Difference(what, middle, max(middle - half, -most), min(middle + half, most))


def _right_or_wrong(scores: NDArray[np.float64]) -> bool:
    return bool(((scores == 0.0) | (scores == 1.0)).all())


def _spread(d: NDArray[np.float64], delta: float) -> float:
    """Half the width of an interval for the mean of d (s, n), over seeds and rows both drawn anew.

    Two-way crossed random effects: with A = var(means of seeds) / s and B = var(means of rows) / n
    the variance of the mean is at most A + B, which counts the residual twice (as in the pigeonhole
    bootstrap, Owen 2007). Each part gets the t quantile of its own degrees of freedom (after
    Cochran and Cox 1957): with three seeds a pooled number would cover less.
    """
    s, n = d.shape
    rows = student_t.ppf(1 - delta / 2, n - 1) ** 2 * d.mean(axis=0).var(ddof=1) / n
    if s == 1:
        return float(rows**0.5)
    seeds = student_t.ppf(1 - delta / 2, s - 1) ** 2 * d.mean(axis=1).var(ddof=1) / s
    return float((seeds + rows) ** 0.5)
