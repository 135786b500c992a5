"""From numbers to pixels: a range, its round ticks, linear or by powers of two."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from limbeck.reports.numbers import decimal

__all__ = ["Scale", "finite"]

_FEW = 16  # up to so many leaves a linear scale shows each size


@dataclass(frozen=True)
class Scale:
    """Values from ``low`` to ``high`` laid on pixels from ``start`` to ``end``.

    Parameters
    ----------
    low, high : float
        The range of values; others are drawn at its ends.
    start, end : float
        Where the ends of the range lie, in pixels.
    ticks : tuple of float
        Round values to label.
    doubling : bool
        Whether equal lengths are equal ratios.
    """

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[float, ...]
    doubling: bool = False

    @classmethod
    def linear(
        cls, values: Iterable[float], start: float, end: float, *, top: float | None = None
    ) -> Self:
        """A scale whose ends are round numbers around the values, at most ``top``.

        Parameters
        ----------
        values : iterable of float
            What is to be shown.
        start, end : float
            The ends of the axis in pixels.
        top : float, optional
            The largest number that the scale may show.
        """
        shown = finite(values) or [0.0, 1.0]
        low, high = min(shown), max(shown)
        if high - low < 1e-9:
            low, high = low - 0.05, high + 0.05
        high = high if top is None else min(high, top)
        step = _step(high - low)
        low, high = math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step
        n = round((high - low) / step)
        return cls(low, high, start, end, tuple(low + i * step for i in range(n + 1)))

    @classmethod
    def sizes(cls, sizes: Iterable[float], start: float, end: float) -> Self:
        """A scale for numbers of leaves: by powers of two where there are many.

        Parameters
        ----------
        sizes : iterable of float
            Numbers of leaves.
        start, end : float
            The ends of the axis in pixels.
        """
        low, high = min(sizes := list(sizes), default=1), max(sizes, default=2)
        high = max(high, low + 1)
        if high <= _FEW:
            ticks = tuple(float(n) for n in range(int(low), int(high) + 1, 1 if high <= 12 else 2))
            return cls(low, high, start, end, ticks)
        powers = tuple(2.0**i for i in range(12) if low <= 2**i <= high)
        return cls(low, high, start, end, powers, doubling=True)

    @classmethod
    def epochs(cls, epochs: Iterable[float], start: float, end: float) -> Self:
        """An even scale with whole numbers at its ticks, the first among them.

        Parameters
        ----------
        epochs : iterable of float
            The epochs.
        start, end : float
            The ends of the axis in pixels.
        """
        low, high = min(epochs := list(epochs), default=1), max(epochs, default=2)
        high = max(high, low + 1)
        step = max(1, round(_step(high - low)))
        later = range(int(low // step + 1) * step, int(high) + 1, step)
        return cls(low, high, start, end, (low, *(float(t) for t in later)))

    def at(self, value: float) -> float:
        """The pixel of a value."""
        inside = min(max(value, self.low), self.high)
        if self.doubling:
            share = math.log(inside / self.low) / math.log(self.high / self.low)
        else:
            share = (inside - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def label(self, tick: float) -> str:
        """A tick as text, with as many decimals as the step between ticks needs."""
        gaps = [b - a for a, b in zip(self.ticks, self.ticks[1:], strict=False)]
        step = min(gaps, default=1.0)
        return decimal(tick, max(math.ceil(-math.log10(step) - 1e-9), 0))


def finite(values: Iterable[float | None]) -> list[float]:
    """The values that are numbers."""
    return [float(v) for v in values if v is not None and math.isfinite(v)]


def _step(span: float) -> float:
    """The roundest step that divides a span into two to five parts."""
    power = 10.0 ** math.floor(math.log10(span))
    return next(power * s for s in (0.2, 0.5, 1, 2, 5) if span / (power * s) <= 5)
