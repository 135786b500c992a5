"""What it would take to reach the epsilon that was asked for: more rows, or a closer student."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from limbeck.certificates.binomial import rows_needed, upper_bound
from limbeck.certificates.bounded import betting_bound

__all__ = ["RowsNeeded", "plan_counts", "plan_from_moments", "plan_means"]

_MOST = 1_000_000


@dataclass(frozen=True)
class RowsNeeded:
    """What more rows would do where an epsilon is not reached.

    Parameters
    ----------
    lower : float
        Lower confidence limit of the mean loss, at the level of the certificate.
    needed : int or None
        Rows, about, with which the bound reaches epsilon if losses stay as they are; None where
        a million would not do.
    settled : int or None
        Rows, about, with which the lower limit passes epsilon if losses stay as they are; None
        where they are below epsilon, or a million would not do.
    """

    lower: float
    needed: int | None
    settled: int | None


def plan_counts(errors: int, n: int, asked: float, level: float) -> RowsNeeded:
    """What to expect of more rows where each is right or wrong.

    Parameters
    ----------
    errors, n : int
        Errors in n rows.
    asked : float
        The epsilon that was asked for, in (0, 1).
    level : float
        The level of the bound, in (0, 1).
    """
    rate = errors / n
    lower = 1 - upper_bound(n - errors, n, level)  # Clopper and Pearson 1934
    return RowsNeeded(
        lower, rows_needed(rate, asked, level), rows_needed(1 - rate, 1 - asked, level)
    )


def plan_means(
    losses: NDArray[np.float64],
    asked: float,
    level: float,
    low: float,
    high: float,
    upper: Callable[[NDArray[np.float64], float, float, float], float] = betting_bound,
) -> RowsNeeded:
    """What to expect of more rows, or cases, with losses in [low, high].

    The lower limit is the bound of the certificate for the losses turned round, so that it depends
    on the order of the rows only where that bound does. The rows are those with which
    Bernstein's inequality (1924), with the variance seen, gives a deviation as small as the gap
    between mean and epsilon: ``n = 2 ln(1/level) (variance + gap / 3) / gap^2``, on [0, 1].

    Parameters
    ----------
    losses : ndarray of shape (n,)
        The losses.
    asked : float
        The mean loss that was asked for, in (low, high).
    level : float
        The level of the bound, in (0, 1).
    low, high : float
        The range of the loss.
    upper : callable
        The bound of the certificate; see `limbeck.certificates.bounds.MeanBound`.
    """
    width = high - low
    lower = low + high - float(upper(low + high - losses, level, low, high))
    mean, variance = float(losses.mean()), float(losses.var())
    return plan_from_moments(mean, variance, len(losses), lower, asked, level, width)


def plan_from_moments(
    mean: float,
    variance: float,
    n: int,
    lower: float,
    asked: float,
    level: float,
    width: float,
) -> RowsNeeded:
    """`plan_means` of losses of which these numbers are known.

    Parameters
    ----------
    mean, variance : float
        Of the losses; the divisor of the variance is n.
    n : int
        Number of losses.
    lower : float
        Lower confidence limit of the mean.
    asked, level : float
        As there.
    width : float
        Of the range of the loss.
    """
    gap = abs(mean - asked) / width
    rows = math.inf
    if gap > 0:
        spread = variance / width**2
        rows = 2 * math.log(1 / level) * (spread + gap / 3) / gap**2
    more = math.ceil(max(rows, n + 1)) if rows <= _MOST else None
    return RowsNeeded(lower, more if mean < asked else None, more if mean > asked else None)
