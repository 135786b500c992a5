"""How numbers are written in all reports."""

from __future__ import annotations

import math

from limbeck.core.measured import Measured

__all__ = ["NONE", "count", "decimal", "duration", "measured", "percent"]

NONE = "—"
"""Stands where there is no number."""


def decimal(value: float | None, digits: int = 3) -> str:
    """A number with so many decimals and a true minus; a dash where there is none.

    Parameters
    ----------
    value : float or None
        The number.
    digits : int
        Digits after the point.
    """
    if value is None or not math.isfinite(value):
        return NONE
    return f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "−")  # + 0.0: no "−0"


def measured(value: Measured | None) -> str:
    """A measured share with its interval, such as ``0.910 [0.870, 0.941]``, in plain ASCII."""
    if value is None or not math.isfinite(value.value):
        return NONE
    return str(value)


def percent(value: float | None, digits: int = 1) -> str:
    """A share in percent.

    Parameters
    ----------
    value : float or None
        A share; 1 is 100%.
    digits : int
        Digits after the point.
    """
    if value is None or not math.isfinite(value):
        return NONE
    return f"{100 * value:.{digits}f}%"


def count(value: float | None) -> str:
    """A whole number with commas between thousands."""
    return NONE if value is None or not math.isfinite(value) else f"{value:,.0f}"


def duration(seconds: float | None) -> str:
    """A time in the unit that fits: ms, s or min."""
    if seconds is None or not math.isfinite(seconds):
        return NONE
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.1f} min"
