"""A network's distillation on matplotlib axes: all models, then the curves of the training."""

from __future__ import annotations

from typing import Any

from limbeck.reports.plots import curves, grid_of
from limbeck.results.distillation_sections.plot import plot_models
from limbeck.results.network_record import NetworkRecord
from limbeck.results.network_sections.reliability import plot_reliability
from limbeck.results.network_sections.training import panels

__all__ = ["plot_network"]


def plot_network(result: NetworkRecord, ax: Any = None) -> Any:
    """Draw the models with their intervals, losses and scores over epochs, and reliability.

    Parameters
    ----------
    result : NetworkRecord
        The result.
    ax : array of matplotlib Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    ndarray of matplotlib Axes
        The models first; without a history they are alone.
    """
    shown = list(panels(result.history))
    reliable = any(f.reliability for f in result.facts.values())
    grid = grid_of(1 + len(shown) + reliable, ax, columns=2, size=(5.4, 3.6))
    plot_models(result.comparison, bool(result.settings.get("classifies", True)), grid[0])
    for own, panel in zip(grid[1 : 1 + len(shown)], shown, strict=True):
        curves(own, panel)
    if reliable:
        plot_reliability(result, grid[-1])
    return grid
