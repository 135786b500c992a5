"""The shapes of an additive student on matplotlib axes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.column import Feature
from limbeck.core.task import Task
from limbeck.reports.plots import BLUE, ORANGE, grid_of
from limbeck.students.additive.bins import Bins

__all__ = ["plot_shapes"]

_MOST = 12  # columns
COLOURS = (BLUE, ORANGE, "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#f0e442")
"""Of classes; those of Okabe and Ito (2008), and again from the first."""


def plot_shapes(
    shapes: list[tuple[int, NDArray[np.float64], NDArray[np.float64]]],
    bins: Bins,
    columns: tuple[Feature, ...],
    task: Task,
    ax: Any = None,
) -> Any:
    """Draw what each column adds, at most 12; returns the axes, one each.

    Parameters
    ----------
    shapes : list of (int, ndarray, ndarray)
        The column, and for each of its bins the contribution (of each class, where there are more
        than two) and the weight of training rows.
    bins : Bins
        How the columns are cut.
    columns : tuple of Feature
        All d of them.
    task : Task
        What the contributions add up to.
    ax : matplotlib Axes or sequence of Axes, optional
        Where to draw.
    """
    shown = [(j, v if v.ndim == 2 else v[:, None], w) for j, v, w in shapes[:_MOST]]
    low = min(float(v[w > 0].min()) for _, v, w in shown)
    high = max(float(v[w > 0].max()) for _, v, w in shown)
    edge = 0.05 * (high - low) or 0.1
    several = len(task.classes) > 2
    names = [str(c) for c in task.classes] if several else [""]
    grid = grid_of(len(shown), ax)
    for own, (j, value, weight) in zip(grid, shown, strict=True):
        edges = bins.edges[j]
        if len(edges) and columns[j].kind == "numeric":
            for c, name in enumerate(names):
                colour = COLOURS[c % len(COLOURS)]
                _steps(own, edges, value[:, c], colour, name)
                if weight[-1] > 0:
                    dashes = colour if several else ORANGE
                    label = "" if several else "missing"
                    own.axhline(value[-1, c], color=dashes, linestyle="--", label=label)
        else:
            seen = np.flatnonzero(weight > 0)
            words = [bins.words(j, columns[j])[b] for b in seen]
            wide = 0.7 / len(names)
            for c, name in enumerate(names):
                at = np.arange(len(seen)) + (c - (len(names) - 1) / 2) * wide
                own.bar(at, value[seen, c], color=COLOURS[c % len(COLOURS)], width=wide, label=name)
            own.set_xticks(range(len(seen)), labels=words, rotation=30, ha="right",
                           parse_math=False)  # fmt: skip
        own.axhline(0.0, color="#9a9a9a", linewidth=0.8, zorder=0)
        own.set_ylim(min(low, 0.0) - edge, max(high, 0.0) + edge)
        own.set_title(columns[j].label, parse_math=False, wrap=True, fontsize="medium")
        own.set_ylabel(_unit(task), parse_math=False)
        own.spines[["top", "right"]].set_visible(False)
        if (several and own is grid[0]) or (not several and own.get_legend_handles_labels()[1]):
            own.legend(frameon=False, fontsize="small")
    return grid


def _unit(task: Task) -> str:
    if len(task.classes) > 2:
        return "score"
    return f"log-odds of {task.classes[-1]}" if task.classifies else task.unit or "contribution"


def _steps(
    ax: Any, edges: NDArray[np.float64], value: NDArray[np.float64], colour: str, name: str
) -> None:
    """A number's bins as steps; both ends are drawn as wide as the median bin."""
    pad = float(np.median(np.diff(edges))) if len(edges) > 1 else abs(float(edges[0])) or 1.0
    ends = np.concatenate([[edges[0] - pad], edges, [edges[-1] + pad]])
    ax.stairs(value[: len(edges) + 1], ends, baseline=None, color=colour, linewidth=1.8,
              label=name or None)  # fmt: skip
