"""A sum on matplotlib axes: a bar per term."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.reports.plots import BLUE, GREY, ORANGE, axes_of, bars, grid_of
from limbeck.students.sparse_sum.model import TermWeights

__all__ = ["plot_sum"]

_MOST = 30  # bars of one output


def plot_sum(
    found: TermWeights,
    spans: NDArray[np.float64],
    features: Features,
    task: Task,
    unit: str,
    ax: Any = None,
) -> Any:
    """Draw a bar per term for each output; returns the axes.

    The bar of a term that is 0 or 1 is its weight. That of a number is what the sum changes by
    when the term goes from its 5th to its 95th percentile. Of more than 30 terms those with the
    longest bars are drawn.

    Parameters
    ----------
    found : TermWeights
        The sum.
    spans : ndarray of shape (t,)
        By how much each term varies.
    features, task
        The columns, and what is predicted.
    unit : str
        What the weights are called.
    ax : matplotlib Axes, optional
        Where to draw; by default a new figure.
    """
    words = [t.words(features).replace(" and ", "\nand ") for t in found.terms]
    change = found.weights * spans[:, None]
    outputs = [c for c in range(change.shape[1]) if change.shape[1] == 1 or change[:, c].any()]
    shown = [_longest(change[:, c]) for c in outputs] or [np.empty(0, dtype=np.int64)]
    height = max(1.3 + 0.2 * sum(2 + words[i].count("\n") for i in at) for at in shown)
    if len(outputs) <= 1:
        ax = axes_of(ax, (7.5, height))
        _draw(ax, words, change[:, outputs[0]] if outputs else change.sum(axis=1), shown[0])
        ax.set_xlabel(_axis(task, unit), parse_math=False)
        left = len(found.terms) - len(shown[0])
        ax.set_title(f"{left} terms with shorter bars are left out" if left else "")
        return ax
    grid = grid_of(len(outputs), ax, columns=2, size=(6.2, height))
    for place, c, at in zip(grid, outputs, shown, strict=True):
        _draw(place, words, change[:, c], at)
        place.set_title(str(task.classes[c]), parse_math=False)
        place.set_xlabel(f"{unit} added", parse_math=False)
    return grid


def _longest(change: NDArray[np.float64]) -> NDArray[np.int64]:
    """The terms with the longest bars, longest first."""
    order = np.argsort(-np.abs(change), kind="stable")
    return order[: min(_MOST, int((change != 0).sum()))]


def _draw(ax: Any, words: list[str], change: NDArray[np.float64], at: NDArray[np.int64]) -> None:
    values = change[at]
    if not len(at):
        ax.set_yticks([])
        return
    bars(ax, [words[i] for i in at], values)
    for patch, value in zip(ax.patches, values, strict=True):
        patch.set_color(BLUE if value >= 0 else ORANGE)
    ax.axvline(0.0, color=GREY, linewidth=0.8)


def _axis(task: Task, unit: str) -> str:
    numbers = "(numbers: from their 5th to their 95th percentile)"
    if task.classifies:
        return f"{unit} for {task.classes[-1]}\n{numbers}"
    return f"added to the value{f', {task.unit}' if task.unit else ''}\n{numbers}"
