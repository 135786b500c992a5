"""Numbers of rows: enough to check, to choose or to learn; and fewer than which nobody learns.

The proofs are in docs/theory.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from limbeck.certificates.class_counts import log2_binomial_sum
from limbeck.certificates.class_limits import Growth
from limbeck.core.errors import InvalidInput

__all__ = [
    "Rows",
    "choose_by_growth",
    "choose_of",
    "choose_of_vc",
    "consistent_by_growth",
    "consistent_of",
    "to_check",
    "to_learn_at_least",
]

Rows = tuple[int, str, str]
"""A number of rows, its formula, and its source."""

_MOST = 2**62
_HERE = "docs/theory.md"


def to_check(epsilon: float, delta: float) -> Rows:
    """Rows without disagreement that show an error of at most epsilon.

    Parameters
    ----------
    epsilon, delta : float
        Largest error, and the probability with which it may be exceeded.
    """
    return math.ceil(math.log(1 / delta) / epsilon), "ln(1/delta) / epsilon", _HERE


def consistent_of(log2_size: float, epsilon: float, delta: float) -> Rows:
    """Rows after which every member of a finite class that agrees on them is within epsilon.

    Parameters
    ----------
    log2_size : float
        Binary logarithm of the size of the class.
    epsilon, delta : float
        Largest error, and the probability with which it may be exceeded.
    """
    n = math.ceil((log2_size * math.log(2) + math.log(1 / delta)) / epsilon)
    return n, "ln(|G|/delta) / epsilon", "Blumer et al. 1987"


def consistent_by_growth(growth: Growth, epsilon: float, delta: float) -> Rows:
    """The same for a class with a growth function S.

    Parameters
    ----------
    growth : callable
        Binary logarithm of S(m), for m rows.
    epsilon, delta : float
        Largest error, and the probability with which it may be exceeded.
    """

    def suffices(m: int) -> bool:
        return 1 + growth(2 * m) - epsilon * m / 2 <= math.log2(delta)

    n = _smallest(suffices, math.ceil(8 / epsilon))
    return n, "2 S(2n) 2^(-epsilon n / 2) <= delta", "Blumer et al. 1989"


def choose_of(
    log2_size: float, epsilon: float, delta: float, disagreement: float | None = None
) -> Rows:
    """Rows after which the best on them, of a finite class, is within epsilon of the best.

    Each other member is compared with the best one alone, so one member needs no rows. With a
    rate of disagreement tau that the best does not exceed, Bernstein's inequality, if it asks
    for fewer rows than Hoeffding's.

    Parameters
    ----------
    log2_size : float
        Binary logarithm of the number of members.
    epsilon, delta : float
        Excess error, and the probability that it is exceeded; in (0, 1).
    disagreement : float, optional
        The best member's error is at most this.
    """
    if log2_size == 0:
        return 0, "0", f"{_HERE}: one member"
    others = log2_size * math.log(2) + math.log1p(-(2.0**-log2_size))
    log = others + math.log(1 / delta)
    n = math.ceil(2 * log / epsilon**2)
    found = n, "2 ln((|G| - 1)/delta) / epsilon^2", f"{_HERE}; Hoeffding 1963"
    if disagreement is None:
        return found
    n = math.ceil((4 * disagreement / epsilon**2 + 10 / (3 * epsilon)) * log)
    formula = "(4 tau / epsilon^2 + 10 / (3 epsilon)) ln((|G| - 1)/delta)"
    source = f"{_HERE}; Bernstein's inequality, tau = {disagreement:g}"
    return min(found, (n, formula, source))


def choose_by_growth(growth: Growth, epsilon: float, delta: float) -> Rows:
    """The same for a class with a growth function S, without a rate of disagreement.

    Symmetrization, Massart's lemma for finite sets and McDiarmid's inequality (Shalev-Shwartz
    and Ben-David 2014).

    Parameters
    ----------
    growth : callable
        Binary logarithm of S(m), for m rows.
    epsilon, delta : float
        Largest error, and the probability with which it may be exceeded.
    """

    def suffices(m: int) -> bool:
        root = math.sqrt(growth(m) * math.log(2)) + math.sqrt(math.log(1 / delta))
        return 2 * root**2 <= epsilon**2 * m

    n = _smallest(suffices, 1)
    return n, "2 (sqrt(ln S(n)) + sqrt(ln(1/delta)))^2 <= epsilon^2 n", _HERE


def choose_of_vc(vc: int, epsilon: float, delta: float) -> Rows:
    """The same for a class of which only the VC dimension is known; Sauer (1972).

    Parameters
    ----------
    vc : int
        The VC dimension.
    epsilon, delta : float
        Largest error, and the probability with which it may be exceeded.
    """
    if vc == 0:
        return choose_of(0.0, epsilon, delta)
    n, formula, source = choose_by_growth(lambda m: log2_binomial_sum(m, vc), epsilon, delta)
    return n, f"{formula}, S(m) = sum_(i <= {vc}) C(m, i)", f"{source}; Sauer 1972"


def to_learn_at_least(vc: int, epsilon: float, delta: float) -> Rows:
    """With fewer rows, every learner fails for some member and some distribution.

    ``max((vc - 1) / (32 epsilon), (1 - epsilon) ln(1/delta) / epsilon)`` (Ehrenfeucht,
    Haussler, Kearns and Valiant 1989), for classes that shatter two points. The first needs
    epsilon <= 1/8 and delta < 1/14 in the proof of docs/theory.md, and is left out elsewhere;
    the second is for learners that draw no random numbers of their own.

    Parameters
    ----------
    vc : int
        The VC dimension.
    epsilon, delta : float
        Largest error, and the probability with which it may be exceeded.
    """
    source = f"{_HERE}; Ehrenfeucht et al. 1989"
    if vc < 2:
        return 0, f"0, VC >= {vc}", source
    n = (1 - epsilon) * math.log(1 / delta) / epsilon
    formula = "(1 - epsilon) ln(1/delta) / epsilon"
    if epsilon <= 1 / 8 and delta < 1 / 14:
        n = max(n, (vc - 1) / (32 * epsilon))
        formula = f"max((VC - 1)/(32 epsilon), {formula}), VC >= {vc}"
    return math.ceil(n), formula, source


def _smallest(suffices: Callable[[int], bool], start: int) -> int:
    low = high = max(start, 1)
    while not suffices(high):
        low, high = high, 2 * high
        if high > _MOST:
            raise InvalidInput(
                "More than 2^62 rows would be needed.", "Ask for a smaller class or larger epsilon."
            )
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if suffices(middle) else (middle + 1, high)
    return low
