"""What bounds a class of students, and how rich the class then is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["ClassSize", "Growth", "Limits"]

Growth = Callable[[int], float]
"""Binary logarithm of the most ways in which members of a class can be right or wrong on m rows."""


@dataclass(frozen=True)
class Limits:
    """What bounds a class of students; the fields are those of `budget`."""

    features: int
    depth: int | None = None
    leaves: int | None = None
    k: int | None = None
    thresholds: int | None = 1
    classes: int = 2
    points: int | None = None
    pairs: int = 0


@dataclass(frozen=True)
class ClassSize:
    """How rich a class of students is.

    Parameters
    ----------
    words : str
        The class in words.
    log2_size : float or None
        Binary logarithm of a bound on the number of its functions; None where it is infinite.
    growth : Growth
        The same for m rows.
    vc_least : int
        The VC dimension is at least this.
    vc : int or None
        The VC dimension, where it is known.
    """

    words: str
    log2_size: float | None
    growth: Growth
    vc_least: int
    vc: int | None = None
