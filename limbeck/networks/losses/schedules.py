"""Numbers that change while training: weights and temperatures may follow one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from limbeck.core.errors import InvalidInput
from limbeck.networks.losses.loss import Schedule

__all__ = [
    "CosineSchedule",
    "LinearSchedule",
    "StepSchedule",
    "check_temperature",
    "temperature_at",
]


@dataclass(frozen=True)
class LinearSchedule:
    """From ``start`` to ``end`` along a straight line.

    Examples
    --------
    >>> LinearSchedule(1, 0)(0.25)
    0.75
    """

    start: float
    end: float

    def __post_init__(self) -> None:
        _check_finite(self.start, self.end)

    def __call__(self, done: float) -> float:
        """The value when a share ``done`` of the training is over."""
        return (1 - done) * self.start + done * self.end


@dataclass(frozen=True)
class CosineSchedule:
    """From ``start`` to ``end`` along half a cosine wave: slow, fast, slow.

    end + (start - end) (1 + cos(pi done)) / 2 (Loshchilov and Hutter 2017, equation 5).

    Examples
    --------
    >>> CosineSchedule(4, 1)(0.5)
    2.5
    """

    start: float
    end: float

    def __post_init__(self) -> None:
        _check_finite(self.start, self.end)

    def __call__(self, done: float) -> float:
        """The value when a share ``done`` of the training is over."""
        return self.end + (self.start - self.end) * (1 + math.cos(math.pi * done)) / 2


@dataclass(frozen=True)
class StepSchedule:
    """One value after another.

    Parameters
    ----------
    values : tuple of float
        The values, in order.
    at : tuple of float
        The shares of the training at which the next value begins, rising, inside (0, 1); one
        fewer than values.

    Raises
    ------
    InvalidInput
        If these rules are broken.

    Examples
    --------
    >>> steps = StepSchedule((1.0, 0.1), at=(0.5,))
    >>> steps(0.49), steps(0.5)
    (1.0, 0.1)
    """

    values: tuple[float, ...]
    at: tuple[float, ...]

    def __post_init__(self) -> None:
        _check_finite(*self.values)
        if len(self.values) != len(self.at) + 1:
            raise InvalidInput(
                f"There are {len(self.values)} values and {len(self.at)} places to change.",
                "Give one place fewer than values.",
            )
        edges = (0.0, *self.at, 1.0)
        if not all(a < b for a, b in pairwise(edges)):
            raise InvalidInput(
                f"The values change at {tuple(self.at)}.", "Give rising shares between 0 and 1."
            )

    def __call__(self, done: float) -> float:
        """The value when a share ``done`` of the training is over."""
        return self.values[sum(done >= place for place in self.at)]


def temperature_at(temperature: float | Schedule, done: float) -> float:
    """The temperature when a share ``done`` of the training is over.

    Parameters
    ----------
    temperature : float or Schedule
        A constant, or a function of the share that is done.
    done : float
        Share of the training that is over, in [0, 1].

    Raises
    ------
    InvalidInput
        If a schedule gives one that is not positive.
    """
    if not callable(temperature):
        return temperature
    value = temperature(done)
    _check_positive(value)
    return value


def check_temperature(temperature: float | Schedule) -> None:
    """Refuse a temperature that is not positive, at the start, the middle or the end.

    Raises
    ------
    InvalidInput
        With the temperature.
    """
    for done in (0.0, 0.5, 1.0) if callable(temperature) else (0.0,):
        _check_positive(temperature(done) if callable(temperature) else temperature)


def _check_positive(value: float) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (number and math.isfinite(value) and value > 0):
        raise InvalidInput(f"The temperature is {value!r}.", "Give a positive number.")


def _check_finite(*values: float) -> None:
    for value in values:
        if not (isinstance(value, int | float) and math.isfinite(value)):
            raise InvalidInput(f"A schedule has the value {value!r}.", "Give finite numbers.")
