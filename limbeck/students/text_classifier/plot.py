"""The n-grams that decide as bars, on matplotlib axes."""

from __future__ import annotations

from typing import Any

from limbeck.core.task import Task
from limbeck.reports.plots import BLUE, ORANGE, grid_of
from limbeck.students.text_classifier.text import Deciding

__all__ = ["plot_terms"]

_MOST = 12


def plot_terms(found: Deciding, task: Task, ax: Any = None) -> Any:
    """Draw the n-grams that speak most for each of at most 12 classes; returns the axes.

    Parameters
    ----------
    found : dict
        What `limbeck.students.text_classifier.text.deciding` returned.
    task : Task
        What is predicted.
    ax : matplotlib Axes or sequence of Axes, optional
        Where to draw.
    """
    shown = list(found.items())[:_MOST]
    grid = grid_of(len(shown), ax, size=(3.4, 3.6))
    most = max((w for _, terms in shown for _, w in terms), default=1.0)
    two = len(shown) == 2
    for at, (own, (name, terms)) in enumerate(zip(grid, shown, strict=True)):
        places = range(len(terms))
        own.barh(places, [w for _, w in terms], color=ORANGE if two and at == 0 else BLUE)
        own.set_yticks(places, labels=[term for term, _ in terms], parse_math=False)
        own.invert_yaxis()
        own.set_xlim(0, 1.05 * most)
        title = f"for {name}" if task.classifies else f"for a {name} value"
        own.set_title(title, parse_math=False, fontsize="medium")
        own.set_xlabel("weight")
        own.spines[["top", "right"]].set_visible(False)
    return grid
