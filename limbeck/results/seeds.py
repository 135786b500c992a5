"""The trainings of all seeds as what is shown of them: contestants, history, remarks, status."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from limbeck.core.status import Status, StatusCode
from limbeck.evaluation.comparison import Comparison
from limbeck.evaluation.network_comparison import SeedNetworks
from limbeck.networks.losses.loss import Objective
from limbeck.networks.training.settings import Training
from limbeck.networks.training.train import Trained

__all__ = ["Runs", "objective_record", "status_of", "training_record"]


@dataclass(frozen=True, eq=False)
class Runs:
    """What was trained.

    Parameters
    ----------
    students : sequence of sequence of Trained
        By seed: one, peers in their order (the first is *the* student), or generations in
        theirs (the last is).
    controls : sequence of Trained
        By seed; may be empty.
    baselines : mapping of str to Trained
        Plain models by their names, such as the linear model.
    seed : int
        The first.
    generations : bool
        Whether students of one seed are generations.
    alternatives : mapping of str to sequence of Trained
        Other ways to a student of this size, by role and seed.
    assistants : sequence of sequence of Trained
        By seed: networks in between, from the teacher down.
    """

    students: Sequence[Sequence[Trained]]
    controls: Sequence[Trained]
    baselines: Mapping[str, Trained]
    seed: int
    generations: bool
    alternatives: Mapping[str, Sequence[Trained]] = field(default_factory=dict)
    assistants: Sequence[Sequence[Trained]] = ()

    @property
    def chief(self) -> list[Trained]:
        """*The* student of every seed."""
        return [made[-1] if self.generations else made[0] for made in self.students]

    @property
    def best(self) -> int:
        """The seed, from 0, that did best on validation rows; the first without them."""
        scores = [t.history[t.best_epoch].get("score") for t in self.chief]
        known = [s for s in scores if s is not None]
        return scores.index(max(known)) if len(known) == len(scores) else 0

    @property
    def chosen(self) -> Trained:
        """The student that is handed over."""
        return self.chief[self.best]

    def contestants(self) -> list[SeedNetworks]:
        """The lines of the table, without the teacher."""
        found = [
            _contestant(role, made, role in self.alternatives)
            for role, made in self.by_role().items()
        ]
        plain = self.baselines.items()
        return [*found, *(SeedNetworks("baseline", name, [t.module]) for name, t in plain)]

    def history(self) -> tuple[dict[str, Any], ...]:
        """A row an epoch of every training, with its seed and its role in the table."""
        return tuple(
            {"seed": self.seed + i, "role": role, **row}
            for role, made in self.by_role().items()
            for i, trained in enumerate(made)
            for row in trained.history
        )

    def by_role(self) -> dict[str, Sequence[Trained]]:
        """All trainings but the linear model's by their role in the table, one per seed."""
        found: dict[str, Sequence[Trained]] = {"student": self.chief}
        if self.controls:
            found["control"] = self.controls
        for i in range(len(self.assistants[0]) if self.assistants else 0):
            found[f"assistant {i + 1}"] = [made[i] for made in self.assistants]
        found |= self.alternatives
        others = len(self.students[0]) - 1
        for i in range(others):
            place = i if self.generations else i + 1
            word = "generation" if self.generations else "peer"
            found[f"{word} {i + 1}"] = [made[place] for made in self.students]
        return found

    def remarks(self, labels: bool, validated: bool) -> list[str]:
        """What must be known of them; whether there were labels, and rows to choose by.

        Parameters
        ----------
        labels : bool
            Whether the training rows had labels.
        validated : bool
            Whether there were validation rows.
        """
        notes = []
        if not labels:
            notes.append("Without labels on the training rows there is no control.")
        elif not self.controls:
            notes.append("No control was trained: it was not asked for, or would be the student.")
        if not self.baselines:
            notes.append("There is no linear model: not asked for, or inputs are no plain numbers.")
        if len(self.chief) > 1:
            how = f"the student of seed {self.seed + self.best} was chosen"
            why = "it did best on the validation rows" if validated else "it was the first"
            notes.append(f"Of {len(self.chief)} seeds {how}: {why}.")
        return notes


def status_of(comparison: Comparison, seeds: int) -> Status:
    """How it ended; a teacher that knows no more than the control is an honest failure.

    Parameters
    ----------
    comparison : Comparison
        The models on the test rows.
    seeds : int
        Number of training seeds.
    """
    by_role = {e.role: e.accuracy for e in comparison.entries}
    teacher, control = by_role.get("teacher"), by_role.get("control")
    if teacher is not None and control is not None and teacher.value <= control.value:
        return Status(
            StatusCode.HYPOTHESIS_FAILED,
            f"The teacher is no better ({teacher}) than the same student without it"
            f" ({control}) on the test rows.",
            "Train the teacher further or take a larger one: there is little to hand on.",
        )
    if seeds > 1:
        return Status(StatusCode.COMPLETE, f"All {seeds} trainings ran to their end.")
    return Status(
        StatusCode.COMPLETE,
        "The training ran to its end.",
        "One seed cannot show run-to-run variability: give seeds=3.",
    )


def objective_record(objective: Objective) -> list[list[Any]]:
    """Name, weight and settings of every term, ready for JSON."""
    parts = zip(objective.names, objective.parts, strict=True)
    return [[name, _told(p.weight), repr(p.term)] for name, p in parts]


def training_record(training: Training) -> dict[str, Any]:
    """The settings of the loop, ready for JSON."""
    own = {
        "callbacks": [type(c).__name__ for c in training.callbacks],
        "metrics": sorted(training.metrics or {}),
    }
    return {f.name: _told(getattr(training, f.name)) for f in fields(training)} | own


def _contestant(role: str, made: Sequence[Trained], alternative: bool) -> SeedNetworks:
    name = type(made[0].module).__name__
    return SeedNetworks(role, name, [t.module for t in made], alternative)


def _told(value: float | str | Callable[..., Any] | None) -> Any:
    return value if isinstance(value, str | int | float | None) else repr(value)
