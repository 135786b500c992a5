"""A share or a number with its interval, and how a difference is written with enough digits."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["ROUNDING", "Measured", "signed"]

ROUNDING = 1e-6
"""What lies nearer to zero may be rounding of sums in single precision, and counts as zero."""

_DIGITS, _MOST = 3, 6


@dataclass(frozen=True)
class Measured:
    """A share of right answers (or R^2, for regression) with its interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def signed(value: float, low: float, high: float) -> tuple[str, str, str]:
    """A difference and the ends of its interval as text, with a sign.

    Three decimals; more where the interval excludes zero and its nearer end would be written as
    zero, or all of the interval would, so that "+0.000 to +0.000" is said of none but zero.

    Parameters
    ----------
    value, low, high : float
        The difference and its interval.

    Examples
    --------
    >>> signed(0.0213, -0.004, 0.05)
    ('+0.021', '-0.004', '+0.050')
    >>> signed(0.0003, 0.00012, 0.0005)
    ('+0.0003', '+0.0001', '+0.0005')
    """
    least = low if low > 0 else -high if high < 0 else max(abs(low), abs(high))
    digits = _DIGITS
    if ROUNDING < least < 0.5 * 10**-_DIGITS:
        digits = min(math.ceil(-math.log10(least)), _MOST)
    found = [f"{v:+.{digits}f}" for v in (value, low, high)]
    return found[0], found[1], found[2]
