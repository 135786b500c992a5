"""The overlaps of all models on matplotlib axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from limbeck.certificates.wording import in_percent
from limbeck.core.measured import Measured
from limbeck.reports.plots import axes_of, intervals
from limbeck.results.language_record import LanguageRecord

__all__ = ["plot_texts"]

_NAMES = {
    "own_overlap": "own texts",
    "teacher_overlap": "the teacher's texts",
    "real_overlap": "real texts",
}


def plot_texts(result: LanguageRecord, ax: Any = None) -> Any:
    """Draw the overlap with the teacher, a line per model.

    Parameters
    ----------
    result : LanguageRecord
        The result.
    ax : matplotlib Axes, optional
        Where to draw; by default a new figure.
    """
    facts = {role: f for role, f in result.facts.items() if role != "teacher"}
    ax = axes_of(ax, (7.0, 1.4 + 0.55 * len(facts)))
    measured: dict[str, Sequence[Measured | None]] = {
        title: [f.measured.get(name) for f in facts.values()]
        for name, title in _NAMES.items()
        if any(name in f.measured for f in facts.values())
    }
    intervals(ax, list(facts), measured, [role == "student" for role in facts])
    ax.set_xlabel(f"overlap with the teacher, {in_percent(result.comparison.level)} intervals")
    return ax
