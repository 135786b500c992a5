"""A wavelet student on matplotlib axes: its filters, its wavelet, its bands."""

from __future__ import annotations

from typing import Any

import numpy as np

from limbeck.reports.plots import BLUE, GREY, ORANGE, bars, grid_of
from limbeck.signal.filters import Filters, functions

__all__ = ["plot_wavelet"]


def plot_wavelet(filters: Filters, shares: dict[str, float], ax: Any = None) -> Any:
    """Draw filters, scaling function and wavelet, and what each band adds; returns three axes.

    Parameters
    ----------
    filters : Filters
        Low-pass and high-pass.
    shares : dict from str to float
        By band, how far it moves the answers.
    ax : matplotlib Axes or sequence of Axes, optional
        Where to draw.
    """
    taps, curve, bands = grid_of(3, ax)
    for name, weights, colour, shift in (("low-pass", filters.low, BLUE, -0.12),
                                         ("high-pass", filters.high, ORANGE, 0.12)):  # fmt: skip
        places = [k + shift for k in range(len(weights))]
        taps.vlines(places, 0, weights, color=colour)
        taps.plot(places, weights, "o", color=colour, label=name, markersize=4)
    taps.set_title("Filters")
    taps.set_xlabel("tap")
    taps.set_ylabel("weight")
    names = ("scaling function", "wavelet")
    for (x, y), name, colour in zip(functions(filters.low), names, (BLUE, ORANGE), strict=True):
        curve.plot(x, y, color=colour, label=name)
    curve.set_title("Functions")
    curve.set_xlabel("samples")
    for own in (taps, curve):
        own.axhline(0.0, color=GREY, linewidth=0.8, zorder=0)
        own.legend(frameon=False, fontsize="small", loc="upper left")
        own.spines[["top", "right"]].set_visible(False)
    total = sum(shares.values()) or 1.0
    bars(bands, list(shares), [100 * share / total for share in shares.values()])
    bands.set_title("What each band adds")
    bands.set_xlabel("% of how far the answers move")
    return np.array([taps, curve, bands], dtype=object)
