"""A junta's table on matplotlib axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.reports.plots import BLUE, axes_of, bars, legend
from limbeck.students.junta.table import CellTable
from limbeck.students.tree.drawing import PALETTE

__all__ = ["plot_table"]

_MOST = 40  # cells


def plot_table(table: CellTable, features: Features, task: Task, ax: Any = None) -> Any:
    """Draw a bar per seen cell, the value or the class fractions; returns the axes.

    Of more than 40 cells those with most rows are drawn.

    Parameters
    ----------
    table : CellTable
        The table.
    features : Features
        The columns.
    task : Task
        What is predicted.
    ax : matplotlib Axes, optional
        Where to draw; by default a new figure.
    """
    seen = table.seen()
    heavy = sorted(seen, key=lambda cell: -table.weight[cell[0]])[:_MOST]
    shown = [cell for cell in seen if cell in heavy]
    words = table.words(features)
    names = [", ".join(words[v][code] for v, code in enumerate(at)) or "always"
             for _, at in shown]  # fmt: skip
    ax = axes_of(ax, (7.0, 1.2 + 0.3 * len(shown)))
    values = table.value[[cell for cell, _ in shown]]
    if task.classifies:
        start = np.zeros(len(shown))
        bars(ax, names, start)
        drawn = {}
        for k, label in enumerate(task.classes):
            drawn[str(label)] = ax.barh(
                range(len(shown)), values[:, k], left=start, height=0.7, label=str(label),
                color=PALETTE[k % len(PALETTE)],
            )  # fmt: skip
            start = start + values[:, k]
        legend(ax, drawn, loc="upper left", bbox_to_anchor=(1, 1))
        ax.set_xlabel("share of the class")
    else:
        bars(ax, names, values[:, 0])
        ax.axvline(0.0, color=BLUE, linewidth=0.5)
        ax.set_xlabel(f"value ({task.unit})" if task.unit else "value")
    variables = ", ".join(features.columns[j].label for j in table.variables)
    left = len(seen) - len(shown)
    more = f"; {left} cells with fewer rows are left out" if left else ""
    ax.set_title(f"{variables or 'no variable'}{more}", parse_math=False)
    return ax
