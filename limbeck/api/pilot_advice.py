"""What a pilot says: its forecasts, what it ran, and all that is needed to run it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from limbeck.api.prepare.network import Prepared
from limbeck.certificates.wording import versions
from limbeck.core.measured import Measured
from limbeck.core.task import TaskKind
from limbeck.evaluation.forecast import Place, blind, forecast
from limbeck.evaluation.intervals import gain_over, mean_over
from limbeck.evaluation.networks import ask, right
from limbeck.networks.strategies.train_network import make
from limbeck.networks.teachers.outside import name_of
from limbeck.results.advice import Advice
from limbeck.results.advice_record import Kind, Outlook, PilotPoint
from limbeck.results.seeds import objective_record
from limbeck.selection.pilot import Cell, Pilot, PilotRuns, gathered
from limbeck.selection.pilot_budget import PairCosts, PilotRequest, whole_seconds

__all__ = ["pilot_advice"]

_LATER = 3  # seeds of the run that is forecast
_CHANGES: tuple[tuple[Kind, Place, int, int], ...] = (
    ("these data", Place(0.0, 0.0), 1, 1),
    ("twice the inputs", Place(1.0, 0.0), 2, 1),
    ("four times the epochs", Place(0.0, 2.0), 1, 4),
)


def pilot_advice(
    pilot: Pilot,
    known: Prepared,
    asked: PilotRequest,
    pairs: Mapping[tuple[Cell, int], PilotRuns],
    costs: PairCosts,
    notes: tuple[str, ...],
) -> Advice:
    """All of it as a record.

    Parameters
    ----------
    pilot : Pilot
        Trained the pairs.
    known : Prepared
        Networks and rows.
    asked : PilotRequest
        Seconds, seeds, level.
    pairs : mapping
        What was run, by cell and seed.
    costs : PairCosts
        What a pair costs.
    notes : tuple of str
        How all was understood.
    """
    n = len(known.rows)
    tutor = pilot.method.teacher
    assert tutor is not None  # noqa: S101  (refused before)
    teacher = right(ask(tutor, known.test.batches(range(len(known.test)),
                                                                 known.training.batch_size),
                        known.task))  # fmt: skip
    numbers, constant = known.task.kind is TaskKind.REGRESSION, _constant(known)
    own = gathered(pairs, False)
    if own and all(blind(p, constant) for p in own):
        notes = (*notes, "Nothing was learned yet: student and control hardly do better than one"
                 " constant answer, so that the pilot says little. Give it a larger budget, or the"
                 " run more epochs.")  # fmt: skip
    full = pilot.cell(1.0, 1.0)
    settings = {
        "teacher": name_of(tutor), "student": type(make(known.makers[0], 0)).__name__,
        "objective": [f"{w} x {t}" for _, w, t in objective_record(known.objective)],
        "out": None if pilot.folder is None else str(pilot.folder.parent),
        "rows": n, "unlabelled": known.unlabelled,
        "measured_rows": len(known.test), "seed": asked.seed, "seeds": asked.seeds,
        "later_seeds": _LATER, "budget": asked.budget, "pairs": len(pairs),
        "seconds": sum(p.seconds for p in pairs.values()),
        "updates_per_epoch": full.updates / max(_epochs(pilot, n), 1),
        "enough": whole_seconds(pilot, costs, asked.seeds),
        "call": {k: v for k, v in asked.training.items() if isinstance(v, int | float | str)},
        "versions": versions("torch", "numpy"),
    }  # fmt: skip
    return Advice(
        tuple(_outlooks(pilot, asked, pairs, costs, constant, bounded=not numbers)),
        tuple(_points(pairs, asked.delta)),
        None if teacher is None else mean_over(teacher[None], asked.delta),
        "R²" if numbers else "accuracy",
        round(1 - asked.delta, 12),
        notes,
        settings,
    )


def _outlooks(
    pilot: Pilot,
    asked: PilotRequest,
    pairs: Mapping[tuple[Cell, int], PilotRuns],
    costs: PairCosts,
    constant: float | None,
    *,
    bounded: bool,
) -> list[Outlook]:
    own, larger = gathered(pairs, False), gathered(pairs, True)
    n = len(pilot.method.rows)
    told: dict[str, Any] = {"delta": asked.delta, "seeds": _LATER, "bounded": bounded,
                            "constant": constant}  # fmt: skip
    found = []
    for name, place, rows, longer in _CHANGES:
        f = forecast(own, place, **told)
        cell = Cell(n * rows, longer * pilot.updates(n * rows), place)
        epochs = longer * _epochs(pilot, n * rows)
        found.append(Outlook(name, n * rows, epochs, f.student, f.control, f.gain, f.doublings,
                             costs.of(cell)))  # fmt: skip
    if larger:
        f = forecast(own, Place(), start=larger, **told)
        cell = replace(pilot.cell(1.0, 1.0), larger=True)
        found.append(Outlook("a student twice the size", n, _epochs(pilot, n), f.student, f.control,
                             f.gain, f.doublings, costs.of(cell)))  # fmt: skip
    return found


def _constant(known: Prepared) -> float | None:
    """The error of the best constant answer on the measured rows, of classes and numbers."""
    if known.task.kind is TaskKind.REGRESSION:
        return 1.0  # 1 - R² of the mean
    if known.task.kind is not TaskKind.CLASSIFICATION:
        return None
    labels = []
    for batch in known.test.batches(range(len(known.test)), known.training.batch_size):
        if batch.labels is not None:
            there = slice(None) if batch.labelled is None else batch.labelled
            labels.append(batch.labels[there].cpu().numpy())
    _, each = np.unique(np.concatenate(labels), return_counts=True)
    return float(1 - each.max() / each.sum())


def _epochs(pilot: Pilot, rows: int) -> int:
    return pilot.settings.settled(rows, validated=False).epochs or 1


def _points(pairs: Mapping[tuple[Cell, int], PilotRuns], delta: float) -> list[PilotPoint]:
    """A line for each cell."""
    found = []
    for cell in dict.fromkeys(c for c, _ in pairs):
        own = [p for (c, _), p in pairs.items() if c == cell]
        student = np.stack([p.student for p in own])
        control = np.stack([p.control for p in own])
        gain = gain_over("", student, control, delta)
        found.append(PilotPoint(
            "student of twice the size" if cell.larger else "student", cell.rows, cell.updates,
            len(own), mean_over(student, delta), mean_over(control, delta),
            Measured(gain.value, gain.low, gain.high),
            float(np.mean([p.seconds for p in own])),
        ))  # fmt: skip
    return sorted(found, key=lambda p: (p.model, p.rows, p.updates))
