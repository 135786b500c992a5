"""A distillation on matplotlib axes: all models with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from limbeck.certificates.wording import in_percent
from limbeck.core.measured import Measured
from limbeck.evaluation.comparison import Comparison, ModelResult
from limbeck.reports.plots import axes_of, intervals

__all__ = ["plot_models"]


def plot_models(comparison: Comparison, classifies: bool, ax: Any = None) -> Any:
    """Draw agreement with the teacher and accuracy on the labels, a line per model.

    Parameters
    ----------
    comparison : Comparison
        What was compared.
    classifies : bool
        Whether classes are predicted; else both are R².
    ax : matplotlib Axes, optional
        Where to draw.
    """
    entries = comparison.entries
    ax = axes_of(ax, (7.0, 1.4 + 0.55 * len(entries)))
    measured: dict[str, Sequence[Measured | None]] = {
        "agreement with the teacher" if classifies else "R² against the teacher":
            [None if e.role == "teacher" else _known(e.agreement) for e in entries],
        "accuracy on the labels" if classifies else "R² on the labels":
            [_known(e.accuracy) for e in entries],
    }  # fmt: skip
    shown = {what: values for what, values in measured.items() if any(values)}
    intervals(ax, [_name(e) for e in entries], shown, [e.role == "student" for e in entries])
    what = next(iter(shown), "") if len(shown) == 1 else "share of rows" if classifies else "R²"
    ax.set_xlabel(f"{what}, {in_percent(comparison.level)} intervals")
    return ax


def _known(found: Measured | None) -> Measured | None:
    return None if found is None or found.value != found.value else found


def _name(entry: ModelResult) -> str:
    size = f", {entry.size}" if entry.size else ""
    return f"{entry.role}\n{entry.model}{size}"
