"""Upper bounds for the mean of losses that lie in a known range, from n independent rows."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from limbeck.certificates.binomial import check_share
from limbeck.core.errors import InvalidInput

__all__ = ["betting_bound", "betting_interval", "empirical_bernstein", "to_unit"]


def empirical_bernstein(
    losses: NDArray[np.float64], delta: float, low: float = 0.0, high: float = 1.0
) -> float:
    """Empirical-Bernstein upper bound for the mean of losses in [low, high].

    ``mean + sqrt(2 V ln(2/delta) / n) + 7 ln(2/delta) / (3 (n - 1))`` for losses in [0, 1]
    with sample variance V (divisor n - 1); Maurer and Pontil (2009), Theorem 4. A closed form
    that does not depend on the order of the rows; `betting_bound` is nearly always tighter.

    Parameters
    ----------
    losses : ndarray of shape (n,)
        One loss per row, n at least 2.
    delta : float
        Probability that the mean is above the bound; in (0, 1).
    low, high : float
        The range of the loss, fixed before any loss was seen.

    Returns
    -------
    float
        The bound, in units of the loss, at most ``high``.

    Raises
    ------
    InvalidInput
        If delta is outside (0, 1), a loss is outside the range, or n is below 2.
    """
    check_share("delta", delta)
    x = to_unit(losses, low, high)
    n = len(x)
    if n < 2:
        raise InvalidInput(f"There is {n} loss.", "Give at least 2.")
    return low + (high - low) * bernstein_of(float(x.mean()), float(x.var(ddof=1)), n, delta)


def bernstein_of(mean: float, variance: float, n: int, delta: float) -> float:
    """`empirical_bernstein` of losses in [0, 1] that have this mean and variance.

    Parameters
    ----------
    mean, variance : float
        Of the losses; the divisor of the variance is n - 1.
    n : int
        Number of losses.
    delta : float
        As there.
    """
    level = math.log(2 / delta)
    return min(mean + math.sqrt(2 * variance * level / n) + 7 * level / (3 * (n - 1)), 1.0)


def betting_bound(
    losses: NDArray[np.float64], delta: float, low: float = 0.0, high: float = 1.0
) -> float:
    """Betting upper bound for the mean of losses in [low, high], for n fixed in advance.

    Who doubts that the mean is m bets that losses fall below it; the capital
    ``prod (1 + b_i (m - x_i))`` is a nonnegative martingale when the mean is m, and exceeds
    1/delta with probability at most delta (Ville 1939). The bound is the largest m that keeps
    the capital below 1/delta: the lower half of the hedged capital process of Waudby-Smith and
    Ramdas (2023), Theorem 3, with their predictable plug-in bets for a fixed n,
    ``b_i = sqrt(2 ln(1/delta) / (n v_{i-1}))``, v a regularised running variance of the earlier
    losses, cut at ``c / (1 - m)`` with c = 3/4.

    Parameters
    ----------
    losses : ndarray of shape (n,)
        One loss per row, in the order in which the rows were drawn: the bound depends on it.
    delta : float
        Probability that the mean is above the bound; in (0, 1).
    low, high : float
        The range of the loss, fixed before any loss was seen.

    Returns
    -------
    float
        The bound, in units of the loss, at most ``high``.

    Raises
    ------
    InvalidInput
        If delta is outside (0, 1), a loss is outside the range, or there is none.
    """
    check_share("delta", delta)
    x = to_unit(losses, low, high)
    return low + (high - low) * float(betting_bounds(x[None, :], delta)[0])


def betting_interval(
    values: NDArray[np.float64], delta: float, low: float = 0.0, high: float = 1.0
) -> tuple[float, float]:
    """Two-sided confidence interval for the mean of values in [low, high].

    Both ends are `betting_bound` at delta / 2, the lower one of the values turned round.

    Parameters
    ----------
    values : ndarray of shape (n,)
        In the order in which they were drawn.
    delta : float
        Probability that the mean is outside; in (0, 1).
    low, high : float
        The range of the values.

    Returns
    -------
    tuple of (float, float)
        The ends.

    Raises
    ------
    InvalidInput
        As for `betting_bound`.
    """
    turned = betting_bound(low + high - values, delta / 2, low, high)
    return low + high - turned, betting_bound(values, delta / 2, low, high)


def betting_bounds(x: NDArray[np.float64], delta: float) -> NDArray[np.float64]:
    """`betting_bound` for many samples at once.

    Parameters
    ----------
    x : ndarray of shape (r, n)
        Losses in [0, 1], a sample per row.
    delta : float
        As in `betting_bound`.

    Returns
    -------
    ndarray of shape (r,)
        The bounds, in [0, 1].
    """
    bets = _predictable_bets(x, delta)
    target = math.log(1 / delta)
    below: NDArray[np.float64] = x.mean(axis=1)
    above = np.ones(len(x))
    for _ in range(40):
        middle = (below + above) / 2
        excluded = _log_capital(x, bets, middle) >= target
        above = np.where(excluded, middle, above)
        below = np.where(excluded, below, middle)
    return above


def betting_exceeds(x: NDArray[np.float64], mean: float, delta: float) -> NDArray[np.bool_]:
    """Whether `betting_bound` is below a mean, for many samples, without finding the bound.

    Parameters
    ----------
    x : ndarray of shape (r, n)
        Losses in [0, 1], a sample per row.
    mean : float
        The mean to compare with, in [0, 1].
    delta : float
        As in `betting_bound`.

    Returns
    -------
    ndarray of shape (r,), bool
        Whether the mean is excluded.
    """
    capital = _log_capital(x, _predictable_bets(x, delta), np.full(len(x), mean))
    return np.asarray(capital >= math.log(1 / delta))


_CUT = 0.75


def _log_capital(
    x: NDArray[np.float64], bets: NDArray[np.float64], m: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Log capital of the doubter of mean m[r] after sample r; it grows with m, shape (r,)."""
    return np.asarray(log_factors(x, bets, m).sum(axis=1))


def log_factors(
    x: NDArray[np.float64], bets: NDArray[np.float64], m: NDArray[np.float64]
) -> NDArray[np.float64]:
    """What each loss adds to the log capital of the doubter of mean m[r], shape (r, n).

    Parameters
    ----------
    x, bets : ndarray of shape (r, n)
        Losses in [0, 1], and the bets on them before the cut.
    m : ndarray of shape (r,)
        The means that are doubted.
    """
    # the cut is what makes every factor grow with m, so that bisection finds the bound
    factor = np.minimum(bets, _CUT / np.maximum(1 - m, 1e-12)[:, None])
    factor *= m[:, None] - x
    return np.asarray(np.log1p(factor, out=factor))


def _predictable_bets(x: NDArray[np.float64], delta: float) -> NDArray[np.float64]:
    """Bets that use only earlier losses: a regularised running variance, shape (r, n)."""
    n = x.shape[1]
    count = np.arange(1, n + 1)
    mean = (0.5 + np.cumsum(x, axis=1)) / (count + 1)
    variance = (0.25 + np.cumsum((x - mean) ** 2, axis=1)) / (count + 1)
    before = np.empty_like(variance)
    before[:, 0], before[:, 1:] = 0.25, variance[:, :-1]
    return np.asarray(np.sqrt(2 * math.log(1 / delta) / (n * before)))


def to_unit(losses: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    """Losses moved from [low, high] to [0, 1], checked.

    Parameters
    ----------
    losses : ndarray of shape (n,)
        One loss per row.
    low, high : float
        The range.

    Returns
    -------
    ndarray of shape (n,)
        The losses in [0, 1].

    Raises
    ------
    InvalidInput
        If there is no loss, one is outside the range or not a number, or the range is empty.
    """
    x = np.asarray(losses, dtype=np.float64)
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise InvalidInput(
            f"The loss range is ({low}, {high}).", "Give two numbers, the lower one first."
        )
    if x.ndim != 1 or len(x) == 0:
        raise InvalidInput(f"The losses have shape {x.shape}.", "Give one loss per row, (n,).")
    wrong = np.flatnonzero(~((x >= low) & (x <= high)))
    if len(wrong):
        raise InvalidInput(
            f"The loss of row {wrong[0]} is {x[wrong[0]]}, outside the range ({low}, {high}).",
            "Give the range that the loss can never leave, known before the losses are seen.",
        )
    return np.asarray((x - low) / (high - low), dtype=np.float64)
