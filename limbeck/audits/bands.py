"""Bands that hold for many numbers at once, from bootstrap bags, however few these are.

Shapes: p numbers, b bags.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student_t

__all__ = ["Resampled", "critical_value", "pointwise_factor"]

Vector = NDArray[np.float64]


class Resampled:
    """What b bags say of p numbers: their spread, and each bag's deviation in units of it.

    A bag is standardised by the spread of the *other* bags. By its own share in the spread, no
    bag could lie far outside, and bands from few bags would be too narrow: 95% bands for 30
    numbers from 19 bags held in 79% of simulated cases, and hold in 94% so.

    Parameters
    ----------
    value : ndarray of shape (p,)
        The numbers themselves.
    bags : ndarray of shape (b, p)
        The same, recomputed in each bag; b is at least 3.
    least : float or ndarray of shape (p,)
        A standard deviation below which none is believed.
    """

    def __init__(self, value: Vector, bags: Vector, least: Vector | float = 0.0) -> None:
        b = len(bags)
        squares = (bags - bags.mean(axis=0)) ** 2
        total = squares.sum(axis=0)
        others = np.maximum(total - squares * b / (b - 1), 0.0) / (b - 2)
        self.spread: Vector = np.maximum(np.sqrt(total / (b - 1)), least)
        own = np.maximum(np.sqrt(others), least)
        # A spread of rounding errors is none: the number is the same in every bag.
        still = self.spread <= 1e-12 * np.abs(value)
        deviation = np.abs(bags - value)
        with np.errstate(divide="ignore", invalid="ignore"):
            self._standardised = np.where(still | (deviation == 0), 0.0, deviation / own)

    @property
    def worst(self) -> Vector:
        """The largest standardised deviation of each bag, shape (b,)."""
        return np.asarray(self._standardised.max(axis=1, initial=0.0))


def critical_value(parts: Iterable[Vector], level: float) -> float:
    """The factor of the spreads that holds all numbers at once (max-t).

    The ``ceil(level (b + 1))``-th of the b bags' largest deviations (the distribution of the
    maximum: Westfall and Young 1993; the studentised bootstrap: Davison and Hinkley 1997).
    Deviations are from the numbers themselves rather than from the bags' mean, so that a
    bias which resampling shows makes bands wider.

    Parameters
    ----------
    parts : iterable of ndarray of shape (b,)
        The ``worst`` of each set of numbers that shall hold together.
    level : float
        The probability that all hold.

    Returns
    -------
    float
        Infinite where the bags are too few for the level: fewer than ``level / (1 - level)``.
    """
    worst = np.sort(np.max(np.stack(list(parts)), axis=0))
    place = math.ceil(level * (len(worst) + 1) - 1e-9)
    return float(worst[place - 1]) if place <= len(worst) else math.inf


def pointwise_factor(level: float, bags: int) -> float:
    """The factor of the spread for one number: Student's t with ``bags - 1`` degrees.

    Parameters
    ----------
    level : float
        Confidence of the interval.
    bags : int
        Number of bootstrap resamples.
    """
    return float(student_t.ppf((1 + level) / 2, bags - 1))
