"""Exact bounds for an error rate, from the number of errors in n independent rows."""

from __future__ import annotations

import math
from functools import lru_cache

from scipy.special import bdtr, betainccinv, betaincinv

from limbeck.core.errors import InvalidInput

__all__ = ["interval", "paired_interval", "rows_needed", "smallest_n", "upper_bound"]

_MOST_ROWS = 1_000_000


def upper_bound(errors: int, n: int, delta: float) -> float:
    """One-sided upper confidence bound for an error rate.

    The largest rate p at which so few errors would still be seen with probability delta,
    ``P(Bin(n, p) <= errors) = delta``; Clopper and Pearson (1934), Biometrika 26, p. 404.

    Parameters
    ----------
    errors : int
        Errors seen, from 0 to n.
    n : int
        Independent rows looked at, at least 1.
    delta : float
        Probability, over the draw of the rows, that the bound is below the rate; in (0, 1).

    Returns
    -------
    float
        The bound, in [0, 1].

    Raises
    ------
    InvalidInput
        If the counts are impossible or delta is outside (0, 1).
    """
    _check_counts(errors, n)
    check_share("delta", delta)
    return 1.0 if errors == n else float(betainccinv(errors + 1, n - errors, delta))


def interval(errors: int, n: int, delta: float) -> tuple[float, float]:
    """Two-sided confidence interval for an error rate, for displays.

    Both ends are one-sided bounds at delta / 2; Clopper and Pearson (1934).

    Parameters
    ----------
    errors, n, delta
        As in `upper_bound`.

    Returns
    -------
    tuple of float
        The lower and the upper end, in [0, 1]; the rate is outside with probability at most
        delta.

    Raises
    ------
    InvalidInput
        As in `upper_bound`.
    """
    high = upper_bound(errors, n, delta / 2)
    low = 0.0 if errors == 0 else float(betaincinv(errors, n - errors + 1, delta / 2))
    return low, high


def paired_interval(only_first: int, only_second: int, n: int, delta: float) -> tuple[float, float]:
    """Confidence interval for the difference of two error rates on the same rows.

    Rows on which both are right or both are wrong cancel. Given the m discordant rows, the
    number that only the first gets wrong is binomial with share s (McNemar 1947, Psychometrika
    12), and m itself is binomial in n with rate q. The difference is ``q * (2 s - 1)``. Exact
    intervals for s at 0.8 delta and for q at 0.2 delta hold together by the union bound, so
    the coverage is at least 1 - delta for every n; the price is some width. The interval
    excludes 0 exactly when the exact McNemar test rejects at 0.8 delta.

    Parameters
    ----------
    only_first : int
        Rows that the first gets wrong and the second gets right.
    only_second : int
        Rows that the second gets wrong and the first gets right.
    n : int
        All rows.
    delta : float
        Probability that the difference is outside; in (0, 1).

    Returns
    -------
    tuple of float
        Ends of the interval for (error of the first) - (error of the second), in [-1, 1].

    Raises
    ------
    InvalidInput
        If the counts are impossible or delta is outside (0, 1).
    """
    discordant = only_first + only_second
    if min(only_first, only_second) < 0:
        raise InvalidInput(
            f"The counts are {only_first} and {only_second}, and one is negative.",
            "Count the rows on which exactly one of the two is wrong.",
        )
    _check_counts(discordant, n)
    check_share("delta", delta)
    rates = interval(discordant, n, 0.2 * delta)
    if discordant == 0:
        return -rates[1], rates[1]
    shares = interval(only_first, discordant, 0.8 * delta)
    corners = [q * (2 * s - 1) for q in rates for s in shares]
    return min(corners), max(corners)


def smallest_n(epsilon: float, delta: float, errors: int = 0) -> int:
    """The fewest rows with which `upper_bound` can reach epsilon.

    The smallest n with ``P(Bin(n, epsilon) <= errors) <= delta``; without errors this is
    ``ceil(ln(delta) / ln(1 - epsilon))``, a little less than ``ln(1 / delta) / epsilon``.

    Parameters
    ----------
    epsilon : float
        The error rate to certify; in (0, 1).
    delta : float
        Probability that the certificate is wrong; in (0, 1).
    errors : int
        Errors to be allowed for.

    Returns
    -------
    int
        The number of rows.

    Raises
    ------
    InvalidInput
        If epsilon or delta is outside (0, 1), or errors is negative.
    """
    check_share("epsilon", epsilon)
    check_share("delta", delta)
    if errors < 0:
        raise InvalidInput(f"errors is {errors}.", "Give 0 or more.")
    low, high = errors + 1, errors + 1
    while bdtr(errors, high, epsilon) > delta:
        low, high = high, 2 * high
    while low < high:
        middle = (low + high) // 2
        if bdtr(errors, middle, epsilon) <= delta:
            high = middle
        else:
            low = middle + 1
    return low


@lru_cache(maxsize=256)  # a certificate's sentence, table and page ask for the same
def rows_needed(rate: float, epsilon: float, delta: float) -> int | None:
    """The rows, about, with which `upper_bound` reaches epsilon if errors come at a given rate.

    Parameters
    ----------
    rate : float
        The error rate to plan for, in [0, 1].
    epsilon, delta : float
        As in `smallest_n`.

    Returns
    -------
    int or None
        None where a million rows would not do, as when the rate is above epsilon.
    """
    n = smallest_n(epsilon, delta)
    while n <= _MOST_ROWS and rate < epsilon:
        needed = smallest_n(epsilon, delta, round(rate * n))
        if needed <= n:
            return n
        n = needed
    return None


def check_share(name: str, value: float) -> None:
    """Refuse a probability that is not strictly between 0 and 1.

    Raises
    ------
    InvalidInput
        If it is not.
    """
    if not (math.isfinite(value) and 0 < value < 1):
        raise InvalidInput(
            f"{name} is {value}, and it must lie strictly between 0 and 1.",
            f"Give for example {name}=0.05.",
        )


def _check_counts(errors: int, n: int) -> None:
    if n < 1 or not 0 <= errors <= n:
        raise InvalidInput(
            f"{errors} errors in {n} rows cannot be.", "Give 0 <= errors <= n and n >= 1."
        )
