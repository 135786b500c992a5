"""An audit on matplotlib axes: the features on which score and outcome differ."""

from __future__ import annotations

from typing import Any

import numpy as np

from limbeck.audits.results import Shape
from limbeck.core.errors import InvalidInput
from limbeck.reports.plots import BLUE, GREY, ORANGE, grid_of
from limbeck.results.audit_sections.axes import bin_names
from limbeck.results.audit_sections.frames import certain, differing

__all__ = ["plot_features"]

_MOST, _LEVELS = 6, 24  # features, and bins that can be labelled


def plot_features(audit: Any, ax: Any = None) -> Any:
    """Draw what score and outcome make of a feature, for each that differs, at most six.

    Where no feature differs beyond doubt, the six of most importance are drawn; the title says so.

    Parameters
    ----------
    audit : Audit
        The result.
    ax : array of matplotlib Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    ndarray of matplotlib Axes

    Raises
    ------
    InvalidInput
        If the audit has no shapes.
    """
    shapes = [] if audit.differences is None else list(audit.differences.shapes)
    shapes = [s for s in shapes if np.isfinite(s.score).all() and len(s.score)]
    if not shapes:
        raise InvalidInput("This audit has no shapes of features.", "Audit more rows.")
    sure = sorted((s for s in shapes if differing(s)), key=lambda s: -differing(s))
    shown = (sure or shapes)[:_MOST]
    grid = grid_of(len(shown), ax, size=(4.2, 3.2))
    compared = any(np.isfinite(s.outcome).any() for s in shown)
    for own, shape in zip(grid, shown, strict=True):
        _shape(own, shape)
    grid[0].legend(frameon=False, fontsize="small")
    grid[0].set_ylabel("log-odds" if compared else "units of the score")
    return grid


def _shape(ax: Any, shape: Shape) -> None:
    names, at = bin_names(shape), np.arange(len(shape.score))
    for values, band, colour, name, style in (
        (shape.score, shape.score_band, BLUE, "score", "-"),
        (shape.outcome, shape.outcome_band, ORANGE, "outcome", "--"),
    ):
        if not np.isfinite(values).any():
            continue
        ends = np.append(at, len(at)) - 0.5
        low, high = (np.append(side, side[-1]) for side in (band[:, 0], band[:, 1]))
        ax.fill_between(ends, low, high, step="post", color=colour, alpha=0.18, linewidth=0)
        ax.stairs(values, ends, baseline=None, color=colour, linestyle=style, label=name,
                  linewidth=1.6)  # fmt: skip
    off = np.array([certain(shape, int(i)) for i in at])
    ax.plot(at[off], np.asarray(shape.score)[off], "o", color="black", markersize=4,
            label="differ")  # fmt: skip
    ax.axhline(0.0, color=GREY, linewidth=0.8, zorder=0)
    every = -(-len(at) // _LEVELS)
    ax.set_xticks(at[::every], labels=[_cut(n) for n in names[::every]], rotation=45, ha="right",
                  fontsize="x-small", parse_math=False)  # fmt: skip
    unit = f" ({shape.unit})" if shape.unit else ""
    n = int(off.sum())
    said = f"differs in {n} of {len(at)} bins" if n else "no bin surely differs"
    compared = f"\n{said}" if np.isfinite(shape.outcome).any() else ""
    ax.set_title(f"{shape.feature}{unit}{compared}", fontsize="medium", parse_math=False, wrap=True)
    ax.spines[["top", "right"]].set_visible(False)


def _cut(name: str, most: int = 22) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"
