"""Thresholds: where they lie between the values seen, and the decimals that print them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "decimal",
    "distinct_in_float32",
    "midway",
    "midways",
    "printed",
    "printed_all",
    "surrounds",
]

Vector = NDArray[np.float64]
_LARGEST = float(np.finfo(np.float32).max)
_DIGITS = 17  # significant digits that tell any two float64 apart


def distinct_in_float32(low: ArrayLike, high: ArrayLike) -> NDArray[np.bool_]:
    """Whether float32 tells the entries of ``low`` from those of ``high``, which are larger.

    Parameters
    ----------
    low, high : array-like of one shape
        The smaller and the larger values.
    """
    return np.asarray(_single(low) < _single(high))


def midway(low: ArrayLike, high: ArrayLike) -> Vector:
    """Thresholds midway between neighbouring values, the same in float64 and in float32.

    A threshold lies halfway between two adjacent float32 numbers. Rounding to float32 then never
    carries a number across it, so that every row and its float32 copy go the same way; nor does
    rounding the threshold itself, as an ONNX model in float32 does.

    Parameters
    ----------
    low, high : array-like of float
        Neighbouring values, finite, with low < high.

    Returns
    -------
    ndarray of float64
        t with low <= t < high. Where float32 cannot tell low from high, the middle in float64.
    """
    low, high = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
    first, last = _single(low), _single(high)
    middle = low / 2 + high / 2
    below = _single(middle)
    down = np.nextafter(below, np.float32(-np.inf))
    below = np.where(below > middle, down, below)
    below = np.clip(below, first, np.nextafter(last, np.float32(-np.inf)))
    above = np.nextafter(below, np.float32(np.inf))
    half = below.astype(np.float64) / 2 + above.astype(np.float64) / 2
    # A number exactly halfway is rounded to one side: the threshold goes with it.
    safe = np.where(_single(half) > half, np.nextafter(half, -np.inf), half)
    plain = np.where(middle < high, middle, low)  # neighbours in float64 have no middle
    return np.where(first < last, safe, plain)


def midways(values: Vector) -> tuple[Vector, Vector]:
    """All thresholds between different values, where float32 can tell the neighbours apart.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Increasing, finite.

    Returns
    -------
    thresholds : ndarray of shape (m,)
        See :func:`midway`.
    between : ndarray of shape (m, 2)
        The neighbours of each.
    """
    pairs = np.column_stack([values[:-1], values[1:]])
    pairs = pairs[distinct_in_float32(pairs[:, 0], pairs[:, 1])]
    return midway(pairs[:, 0], pairs[:, 1]), pairs


def printed(
    threshold: float, low: float, high: float, digits: int | None = None, exact: bool = False
) -> float:
    """The shortest decimal that separates the same neighbours as a threshold.

    Parameters
    ----------
    threshold : float
        What the student compares with; a value equal to it goes below.
    low, high : float
        The largest value seen at or below the threshold, and the smallest above. With
        low == high they are not known, and the threshold is printed exactly.
    digits : int, optional
        At least so many significant digits of the threshold itself.
    exact : bool
        Print the threshold exactly.

    Returns
    -------
    float
        A number t with low <= t < high, and the same for float32 copies of low and high where
        the threshold itself has this.

    Examples
    --------
    >>> printed(1013.2499980926514, 1013.2, 1013.3)
    1013.25
    >>> printed(1013.2499980926514, 998.7, 1013.3)
    1000.0
    """
    if exact or not low < high:
        return threshold
    below, above = _rounded(low), _rounded(high)
    least, most = max(low, below), min(high, above)
    if not least < most:
        least, most = low, high
    middle = low / 2 + high / 2
    if digits is None and least <= 0 < most and abs(middle) < (high - low) / 10:
        return 0.0
    target = Decimal(middle if digits is None else threshold)
    for kept in range(max(digits or 1, 1), _DIGITS + 1):
        unit = Decimal(1).scaleb(target.adjusted() - kept + 1)
        near = [target.quantize(unit, rounding=way) for way in (ROUND_FLOOR, ROUND_CEILING)]
        fits = [d for d in near if least <= float(d) < most]
        if below < above:  # also where it is compared as float32, which has no -7e-46
            fits = [d for d in fits if below <= _rounded(float(d)) < above]
        if fits:
            return float(min(fits, key=lambda d: abs(d - target)))
    return threshold


def printed_all(
    thresholds: Vector, between: Vector | None, digits: int | None = None, exact: bool = False
) -> list[float]:
    """:func:`printed` for many thresholds, with neighbours of shape (m, 2) or None.

    Parameters
    ----------
    thresholds : ndarray of shape (m,)
        The thresholds.
    between : ndarray of shape (m, 2), or None
        The observed values next to each.
    digits, exact
        As in :func:`printed`.
    """
    if between is None:
        return [float(t) for t in thresholds]
    triples: Iterable[tuple[float, tuple[float, float]]] = zip(
        thresholds.tolist(), between.tolist(), strict=True
    )
    return [printed(t, low, high, digits, exact) for t, (low, high) in triples]


def surrounds(between: Vector, edges: Vector) -> bool:
    """Whether each edge (m,) separates its two values (m, 2).

    Parameters
    ----------
    between : ndarray of shape (m, 2)
        The values next to each edge.
    edges : ndarray of shape (m,)
        The edges.
    """
    if between.shape != (len(edges), 2):
        return False
    sound = np.isfinite(between).all()
    return bool(sound and ((between[:, 0] <= edges) & (edges < between[:, 1])).all())


def decimal(x: float) -> str:
    """A number in the fewest digits that give it back; no exponent from 0.0001 to 1e16."""
    if not math.isfinite(x) or (x != 0 and not 1e-4 <= abs(x) < 1e16):
        return repr(float(x))
    return np.format_float_positional(x + 0.0, trim="-")


def _rounded(x: float) -> float:
    """A number as `_single` rounds it, without an array."""
    return float(np.float32(min(max(x, -_LARGEST), _LARGEST)))


def _single(values: ArrayLike) -> NDArray[np.float32]:
    """Rounded to float32, and to its largest number what is larger."""
    return np.clip(np.asarray(values, dtype=np.float64), -_LARGEST, _LARGEST).astype(np.float32)
