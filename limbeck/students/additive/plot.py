"""The shapes of an additive student on matplotlib axes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Feature
from limbeck.reports.plots import BLUE, ORANGE, grid_of
from limbeck.students.additive.bins import Bins

__all__ = ["plot_shapes"]

_MOST = 12  # columns


def plot_shapes(
    shapes: list[tuple[int, NDArray[np.float64], NDArray[np.float64]]],
    bins: Bins,
    columns: tuple[Feature, ...],
    unit: str,
    ax: Any = None,
) -> Any:
    """Draw what each column adds, at most 12; returns the axes, one each.

    Parameters
    ----------
    shapes : list of (int, ndarray, ndarray)
        The column, and for each of its bins the contribution and the weight of training rows.
    bins : Bins
        How the columns are cut.
    columns : tuple of Feature
        All d of them.
    unit : str
        Of the contributions.
    ax : matplotlib Axes or sequence of Axes, optional
        Where to draw.
    """
    shown = shapes[:_MOST]
    low = min(float(v[w > 0].min()) for _, v, w in shown)
    high = max(float(v[w > 0].max()) for _, v, w in shown)
    edge = 0.05 * (high - low) or 0.1
    grid = grid_of(len(shown), ax)
    for own, (j, value, weight) in zip(grid, shown, strict=True):
        edges = bins.edges[j]
        if len(edges) and columns[j].kind == "numeric":
            _steps(own, edges, value)
            if weight[-1] > 0:
                own.axhline(value[-1], color=ORANGE, linestyle="--", label="missing")
                own.legend(frameon=False)
        else:
            seen = np.flatnonzero(weight > 0)
            names = [bins.words(j, columns[j])[b] for b in seen]
            own.bar(range(len(seen)), value[seen], color=BLUE, width=0.7)
            own.set_xticks(range(len(seen)), labels=names, rotation=30, ha="right",
                           parse_math=False)  # fmt: skip
        own.axhline(0.0, color="#9a9a9a", linewidth=0.8, zorder=0)
        own.set_ylim(min(low, 0.0) - edge, max(high, 0.0) + edge)
        own.set_title(columns[j].label, parse_math=False, wrap=True, fontsize="medium")
        own.set_ylabel(unit, parse_math=False)
        own.spines[["top", "right"]].set_visible(False)
    return grid


def _steps(ax: Any, edges: NDArray[np.float64], value: NDArray[np.float64]) -> None:
    """A number's bins as steps; both ends are drawn as wide as the median bin."""
    pad = float(np.median(np.diff(edges))) if len(edges) > 1 else abs(float(edges[0])) or 1.0
    ends = np.concatenate([[edges[0] - pad], edges, [edges[-1] + pad]])
    ax.stairs(value[: len(edges) + 1], ends, baseline=None, color=BLUE, linewidth=1.8)
