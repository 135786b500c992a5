"""All that a distillation of networks works with, understood and checked before any work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from limbeck.api.prepare.checks import (
    cache_of,
    default_objective,
    loader_settings,
    makers_of,
    named_task,
    one_teacher,
    refuse_lacking,
    settings_of,
    task_of,
)
from limbeck.api.prepare.class_order import check_class_order
from limbeck.api.prepare.early_stopping import validation_part, validation_share
from limbeck.api.prepare.input_checks import (
    looked_at,
    refuse_layers,
    refuse_unread,
    unread_inputs,
    unread_note,
)
from limbeck.api.prepare.labels import coded_labels
from limbeck.api.prepare.leakage import counted_once, fresh_rows, unchosen_rows
from limbeck.api.prepare.outputs import parts_of, places_of, read_outputs
from limbeck.api.prepare.outside import outside_teacher, refuse_outside
from limbeck.api.prepare.padding import padding_notes
from limbeck.api.prepare.probabilities import probability_notes
from limbeck.api.prepare.score_column import score_column
from limbeck.api.prepare.sequence_checks import try_extremes
from limbeck.api.prepare.shared_outputs import apart_notes, share_outputs
from limbeck.api.prepare.splits import for_rows, two_sides
from limbeck.core.contract import Task
from limbeck.core.errors import InvalidInput
from limbeck.data.duplicates import Rule
from limbeck.modules.outputs import OutputReader
from limbeck.networks.cache.teacher_cache import TeacherCache
from limbeck.networks.datasets.data import Samples
from limbeck.networks.datasets.finite import refuse_inputs
from limbeck.networks.datasets.vocabularies import pad_token
from limbeck.networks.initialization.from_teacher import Transplant
from limbeck.networks.losses.filters import Filter
from limbeck.networks.losses.labels import GoldLabels
from limbeck.networks.losses.loss import Objective
from limbeck.networks.strategies.seeds import started
from limbeck.networks.strategies.together import BornAgain
from limbeck.networks.teachers.outside import is_outside
from limbeck.networks.training.checks import refuse_metrics, refuse_patience, refuse_unscored
from limbeck.networks.training.gradient_accumulation import part_notes
from limbeck.networks.training.settings import Training
from limbeck.students.onnx.layout import Layout

__all__ = ["Prepared", "prepared"]


@dataclass(frozen=True, eq=False)
class Prepared:
    """Everything that a distillation works with, checked.

    Parameters
    ----------
    teacher : nn.Module or None
        One module.
    makers : sequence of nn.Module or callable
        What students are made from.
    reads : sequence of OutputReader
        How the outputs of each are found in what it returns.
    rows, test, validation : Samples
        Their labels in the shape of the task; no test row is among the others. Validation rows
        may be a part of what was given to train on, see `early_stopping`.
    task : Task
        What is predicted, with its classes or the unit of a number.
    objective : Objective
        What is learned.
    training : Training
        Settings of the loop.
    cache : TeacherCache or None
        Not filled yet.
    layout : Layout
        That of the inputs.
    seen : ndarray of uint64 or None
        Hashes of the training rows in that layout.
    notes : sequence of str
        How all of it was understood.
    compares : bool
        Whether outputs of teacher and student mean the same.
    filter : Filter or None
        Which samples use the teacher's signal, with weights of the training rows.
    """

    teacher: nn.Module | None
    makers: Sequence[Any]
    reads: Sequence[OutputReader]
    rows: Samples
    test: Samples
    validation: Samples | None
    task: Task
    objective: Objective
    training: Training
    cache: TeacherCache | None
    layout: Layout
    seen: NDArray[np.uint64] | None
    notes: Sequence[str]
    compares: bool = True
    filter: Filter | None = None

    @property
    def reference(self) -> nn.Module | None:
        """The teacher that students are compared with; None where outputs do not mean the same."""
        return self.teacher if self.compares else None

    @property
    def comparable(self) -> bool:
        """Whether the same student can learn something else on its own: gold labels."""
        alone = all(isinstance(p.term, GoldLabels) for p in self.objective.parts)
        return self.rows.has_labels and not alone


def prepared(
    teacher: Any,
    data: Any,
    y: Any,
    *,
    into: Any,
    objective: Any,
    mode: BornAgain | None,
    filter: Filter | None,  # noqa: A002  (the field's word)
    start: Any,
    cache: bool | str | Path | TeacherCache | None,
    validation: Any,
    test: Any,
    holdout: float,
    cases: Any = None,
    duplicates: Rule = "auto",
    task: str | Task | None,
    tokenizers: Sequence[Any] | None,
    output: Any,
    vocabulary: int | None = None,
    classes: Sequence[Any] | None,
    unit: str,
    seed: int,
    folder: Path | None,
    training: Mapping[str, Any],
) -> Prepared:
    """Understand the arguments of `distill_network.compress`, and refuse what cannot be used.

    Parameters
    ----------
    teacher, data, y, into, objective, mode, filter, start, cache, validation, test, holdout
        As in `limbeck.api.distill_network.compress`.
    cases, duplicates, task, tokenizers, output, vocabulary, classes, unit, seed
        As there.
    folder : Path or None
        The folder of the run, if there is one.
    training : mapping
        Training settings as the user gave them.

    Raises
    ------
    InvalidInput
        Names the argument, the value and the remedy.
    """
    sized, loaded = loader_settings(data, training)
    settings = settings_of(sized)
    teacher, data, validation, test = score_column(teacher, data, validation, test)
    outside = is_outside(teacher)
    tutor, makers = None if outside else one_teacher(teacher), makers_of(into)
    given = coded_labels(data, y, validation, test, classes, teacher, makers)
    data, y, validation, test = given.data, given.y, given.validation, given.test
    if given.named is not None:
        classes = given.named.names
    pad = pad_token(tutor, *makers)
    rows, aside, duplicates = two_sides(
        data, y, test, holdout, seed, settings, pad, cases=cases, duplicates=duplicates,
        classes=given.names,
    )  # fmt: skip
    pupils = [started(m, seed, rows, tutor, start) for m in makers]
    _refuse_no_start(tutor, pupils, start)
    alike = [pupil for pupil, _ in pupils]
    meant = places_of(output)["student"] if outside else output
    reads, read = read_outputs(rows, tutor, alike, meant, task, classes, optional=outside)
    if outside:
        tutor, said = outside_teacher(
            teacher, data, rows, alike[0], classes=classes, output=places_of(output)["teacher"],
            task=str(task.kind if isinstance(task, Task) else task or ""),
        )  # fmt: skip
        teacher, read = tutor, [*read, *said]
    reads, vocabulary, padded = share_outputs(rows, tutor, alike, reads, vocabulary, tokenizers)
    compares = _compares(objective, filter, tutor, alike, rows)
    found = task_of(rows, tutor, alike, task, tokenizers, vocabulary=vocabulary, compares=compares)
    read += probability_notes(parts_of(tutor)) + padded
    tutor = one_teacher(teacher, found)
    if given.named is not None:
        given.named.refuse(found)
        classes = classes if found.classifies else None
    found = named_task(found, classes, unit, tutor, pupils[0][0])
    rows, aside = rows.aimed(found), aside.aimed(found)
    if filter is not None:
        filter = for_rows(filter, rows, Samples.of(data, y, classes=given.names), found)  # noqa: A001
    share = validation_share(validation, settings)
    own = validation is not None and not isinstance(validation, Real)
    workers = settings.num_workers
    checked = (
        Samples.of(validation, pad=pad, num_workers=workers, classes=given.names).aimed(found)
        if own
        else None
    )
    aim = default_objective(found, rows, tutor) if objective is None else Objective.of(objective)
    refuse_outside(tutor, aim, filter)
    layers = (aim.needs if filter is None else aim.needs | filter.needs).teacher_layers
    kept = cache_of(cache, tutor, rows, layers, folder)
    refuse_lacking(aim, found, rows, kept or tutor, len(makers), mode, filter)
    refuse_unscored(checked, (kept or tutor) if compares else None)
    if not (compares or rows.has_labels):
        share = 0.0  # there is nothing to choose an epoch by
    networks = _named(tutor, [pupil for pupil, _ in pupils])
    for later, what in ((checked, "validation"), (None if test is None else aside, "test")):
        refuse_unread(later, what, networks)
    if tutor is not None and len(pupils) == 1:
        refuse_layers(aim, found, rows, tutor, pupils[0][0])
    copied = [note for _, report in pupils if report is not None for note in report.sheet().notes]
    for side, what in ((rows, "training"), (aside, "test"), (checked, "validation")):
        if side is not None:
            refuse_inputs(side, what, networks)
    for side in (rows, aside):
        try_extremes(side, networks)
    if tutor is not None and compares:
        read += check_class_order(rows, tutor, found, given.named, settings.batch_size)
    unread = unread_inputs(rows, list(networks.values()))
    layout, seen, aside, notes = fresh_rows(
        rows, aside, test is not None, settings, unread, duplicates=duplicates
    )
    aside, left = unchosen_rows(
        aside, checked, test is not None, settings, unread, duplicates=duplicates
    )
    aside, once = counted_once(aside, layout, settings, duplicates)
    left += once
    notes += padding_notes(rows, networks) + part_notes(aim, pupils[0][0], settings)
    chosen: list[str] = []
    if checked is None:
        asked = isinstance(validation, Real)
        whole = rows
        rows, checked, chosen = validation_part(
            whole, share, seed, asked=asked, cache=kept, hashes=seen
        )
        filter = for_rows(filter, rows, whole, found)  # noqa: A001
    settings = settings.settled(len(rows), checked is not None)
    refuse_patience(settings.patience, checked)
    refuse_metrics(settings.metrics, checked)
    if unread:
        notes.append(unread_note(unread, rows.has_labels))
    notes += [] if compares else apart_notes(rows.has_labels)
    return Prepared(
        tutor, makers, reads, rows, aside, checked, found, aim, settings, kept, layout, seen,
        tuple(dict.fromkeys((*copied, *loaded, *given.notes, *chosen, *notes, *read, *left,
                             *rows.notes, *aside.notes))),
        compares, filter,
    )  # fmt: skip


def _compares(
    objective: Any,
    given: Filter | None,
    teacher: nn.Module | None,
    students: Sequence[nn.Module],
    rows: Samples,
) -> bool:
    """Whether outputs of teacher and student mean the same: they must, or they do.

    They must where the objective, or the filter, compares them; with an objective on layers alone
    they do where as many are returned for the same places.
    """
    if objective is None or teacher is None:
        return True
    needs = Objective.of(objective).needs
    if (needs if given is None else needs | given.needs).compares:
        return True
    inputs = rows.fetch(range(min(len(rows), 4))).inputs
    one = looked_at("teacher", teacher, inputs)[0].logits.shape
    return all(looked_at("student", s, inputs)[0].logits.shape == one for s in students)


def _named(teacher: nn.Module | None, students: Sequence[nn.Module]) -> dict[str, nn.Module]:
    """All networks by what they are called in messages; several students by number."""
    several = len(students) > 1
    named = {f"student {i + 1}" if several else "student": s for i, s in enumerate(students)}
    return named if teacher is None else {"teacher": teacher, **named}


def _refuse_no_start(
    teacher: nn.Module | None, pupils: Sequence[tuple[nn.Module, Transplant | None]], start: Any
) -> None:
    """Refuse a start by which no student takes anything from the teacher."""
    reports = [report for _, report in pupils if report is not None]
    if reports and not any(report.share for report in reports):
        raise InvalidInput(
            f"start={start!r} copies nothing from the {type(teacher).__name__} into the"
            f" {type(pupils[0][0]).__name__}: {reports[0].entries[0].why}.",
            "Leave start out, or name layers of both: {teacher layer: student layer}.",
        )
