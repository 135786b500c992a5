"""The fields of a search: its trials, what was chosen, and the student that came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from limbeck.core.errors import plural

__all__ = ["Trial", "TuningRecord"]


@dataclass(frozen=True)
class Trial:
    """One trial of a search.

    Parameters
    ----------
    role : {"student", "control"}
        Who learned.
    place : int
        Its number, from 0.
    settings : mapping
        What was tried, by name.
    seed : int
        That it was trained from.
    rounds : int
        Of successive halving that it took part in.
    updates : int
        In all its rounds.
    longest : int
        Updates of its last round.
    score, loss : float
        On the validation rows, of the best epoch of its last round; NaN where it failed.
    failed : str
        Why there is no score, such as a loss that was not finite; else empty.
    chosen : bool
        Whether its settings were taken.
    """

    role: str
    place: int
    settings: Mapping[str, Any]
    seed: int
    rounds: int
    updates: int
    longest: int
    score: float
    loss: float
    failed: str = ""
    chosen: bool = False


@dataclass(frozen=True, eq=False, repr=False)
class TuningRecord:
    """What a fair search came to.

    Parameters
    ----------
    result : NetworkDistillation
        The student with the best settings, its control with the control's best settings, both
        trained again from fresh seeds: table, verdict and certificate on test rows.
    trials : tuple of Trial
        Of student and control.
    settings : mapping
        What was searched, and how.
    notes : tuple of str
        What must be known of the search.
    """

    result: Any
    trials: tuple[Trial, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def of(self, role: str) -> list[Trial]:
        """The trials of the student, or of the control."""
        return [trial for trial in self.trials if trial.role == role]

    def chosen(self, role: str) -> Trial | None:
        """The trial whose settings were taken; None for a control that was not trained."""
        return next((trial for trial in self.of(role) if trial.chosen), None)

    @property
    def selection(self) -> str:
        """How the settings were chosen, in sentences."""
        told = [self._chosen(role) for role in ("student", "control") if self.of(role)]
        rows = self.settings.get("validation_rows", 0)
        return (
            f"{' '.join(told)} Both kinds were chosen by {rows:,} validation rows, whose scores are"
            " optimistic for what they chose; table and verdict are of test rows that chose"
            " nothing, after trainings from fresh seeds."
        ).replace("Both kinds were", "Both were" if len(told) == 2 else "It was")

    def _chosen(self, role: str) -> str:
        own, best = self.of(role), self.chosen(role)
        assert best is not None  # noqa: S101  (one is chosen of every role)
        what = ", ".join(f"{k}={_told(v)}" for k, v in best.settings.items())
        failed = sum(bool(t.failed) for t in own)
        lost = f", {failed} of which failed" if failed else ""
        by = what or "a seed, since nothing that was searched over concerns it"
        return (
            f"Of {plural(len(own), 'trial')} of the {role}{lost}, {by} did best:"
            f" {best.score:.4g} on the validation rows; {sum(t.updates for t in own):,} updates in"
            " all."
        )


def _told(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
