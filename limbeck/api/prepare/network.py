"""All that a distillation of networks works with, understood and checked before any work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from limbeck.api.prepare.checks import (
    cache_of,
    check_lacking,
    default_objective,
    named_task,
    one_teacher,
    task_of,
)
from limbeck.api.prepare.class_order import check_class_order
from limbeck.api.prepare.early_stopping import validation_part, validation_share
from limbeck.api.prepare.input_checks import (
    check_all_read,
    check_layers,
    looked_at,
    unread_inputs,
    unread_note,
)
from limbeck.api.prepare.leakage import (
    check_labelled_test,
    counted_once,
    fresh_rows,
    unchosen_rows,
)
from limbeck.api.prepare.outputs import parts_of, places_of, read_outputs
from limbeck.api.prepare.outside import check_outside, outside_teacher
from limbeck.api.prepare.padding import padding_notes
from limbeck.api.prepare.probabilities import probability_notes
from limbeck.api.prepare.recipes import by_recipe
from limbeck.api.prepare.request import NetworkData, NetworkRequest, NetworkSides
from limbeck.api.prepare.sequence_checks import try_extremes
from limbeck.api.prepare.shared_outputs import apart_notes, share_outputs
from limbeck.api.prepare.splits import for_rows
from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task
from limbeck.modules.outputs import OutputReader
from limbeck.networks.cache.teacher_cache import TeacherCache
from limbeck.networks.datasets.data import Samples
from limbeck.networks.datasets.finite import check_inputs
from limbeck.networks.datasets.transfer import joined, repeated, unlabelled_samples
from limbeck.networks.initialization.from_teacher import Transplant
from limbeck.networks.losses.filters import Filter, RowWeights
from limbeck.networks.losses.labels import GoldLabels
from limbeck.networks.losses.loss import Objective
from limbeck.networks.strategies.train_network import started
from limbeck.networks.training.checks import check_scored, check_validation
from limbeck.networks.training.gradient_accumulation import part_notes
from limbeck.networks.training.settings import Training
from limbeck.students.onnx.layout import Layout

__all__ = ["Prepared", "understand"]


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
    labelled : Samples or None
        What the control trains on, where inputs without labels were given: the labelled rows,
        repeated to as many as ``rows``.
    unlabelled : int
        How many of ``rows`` came without a label, by ``unlabelled=``.
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
    labelled: Samples | None = None
    unlabelled: int = 0

    @property
    def reference(self) -> nn.Module | None:
        """The teacher that students are compared with; None where outputs do not mean the same."""
        return self.teacher if self.compares else None

    @property
    def comparable(self) -> bool:
        """Whether the same student can learn something else on its own: gold labels."""
        alone = all(isinstance(p.term, GoldLabels) for p in self.objective.parts)
        return self.rows.has_labels and not alone


@dataclass(frozen=True, eq=False)
class Networks:
    """Teacher and students that can be compared, and what their outputs mean.

    Parameters
    ----------
    teacher : nn.Module or None
        One module.
    students : list of nn.Module
        The first seed's, before training.
    reads : sequence of OutputReader
        How the outputs of each are found in what it returns.
    task : Task
        What is predicted.
    compares : bool
        Whether outputs of teacher and student mean the same.
    copied, notes : list of str
        What ``start`` copied, and how the outputs were understood.
    """

    teacher: nn.Module | None
    students: list[nn.Module]
    reads: Sequence[OutputReader]
    task: Task
    compares: bool
    copied: list[str]
    notes: list[str]

    @property
    def named(self) -> dict[str, nn.Module]:
        """All by what they are called in messages; several students by number."""
        several = len(self.students) > 1
        named = {
            f"student {i + 1}" if several else "student": s for i, s in enumerate(self.students)
        }
        return named if self.teacher is None else {"teacher": self.teacher, **named}


@dataclass(frozen=True, eq=False)
class Lesson:
    """What is learned, from which rows, in the shape of the task.

    ``share`` of ``rows`` is to be taken for validation where ``validation`` is None. ``more`` are
    inputs without labels.
    """

    objective: Objective
    filter: Filter | None
    cache: TeacherCache | None
    rows: Samples
    test: Samples
    validation: Samples | None
    share: float
    more: Samples | None = None


def understand(request: NetworkRequest, data: NetworkData, sides: NetworkSides) -> Prepared:
    """All that the training works with; what cannot be used is refused, before any work.

    Parameters
    ----------
    request : NetworkRequest
        The arguments of `limbeck.api.distill_network.compress`.
    data : NetworkData
        What `request.read` understood of them.
    sides : NetworkSides
        Training rows and test rows.

    Raises
    ------
    InvalidInput
        Names the argument, the value and the remedy.
    """
    networks = networks_of(request, data, sides)
    trained, recipe = by_recipe(request.recipe, data.settings, sides.rows, networks.task,
                                request.objective is None)  # fmt: skip
    data = replace(data, settings=trained)
    lesson = lesson_of(request, data, sides, networks)
    unread, notes = _tried(data, lesson, networks)
    alike: dict[str, Any] = {"duplicates": sides.duplicates}
    rows, test, checked = lesson.rows, lesson.test, lesson.validation
    settings, given = data.settings, data.coded.test is not None
    if lesson.more is not None:
        notes = [*notes, *check_labelled_test(lesson.more, test, settings, unread, **alike)]
    whole = joined(rows, lesson.more, networks.task)
    layout, seen, test, apart = fresh_rows(whole, test, given, settings, unread, **alike)
    test, left = unchosen_rows(test, checked, given, settings, unread, **alike)
    test, once = counted_once(test, layout, settings, sides.duplicates)
    apart += padding_notes(rows, networks.named)
    apart += part_notes(lesson.objective, networks.students[0], settings)
    chosen: list[str] = []
    kept = lesson.filter
    if checked is None:
        asked = isinstance(request.validation, Real)
        rows, checked, chosen = validation_part(
            rows, lesson.share, request.seed, asked=asked, cache=lesson.cache,
            hashes=None if seen is None or len(seen) < len(whole) else seen[: len(rows)],
        )  # fmt: skip
        kept = for_rows(kept, rows, lesson.rows, networks.task)
    rows, labelled, transfer = _transfer(rows, lesson.more, networks.task)
    settings = settings.settled(len(rows), checked is not None)
    check_validation(settings, checked)
    if unread:
        apart.append(unread_note(unread, rows.has_labels))
    apart += [] if networks.compares else apart_notes(rows.has_labels)
    said = (*networks.copied, *data.notes, *data.coded.notes, *chosen, *apart, *networks.notes,
            *notes, *left, *once, *recipe, *transfer, *rows.notes, *test.notes)  # fmt: skip
    return Prepared(
        networks.teacher, data.makers, networks.reads, rows, test, checked, networks.task,
        lesson.objective, settings, lesson.cache, layout, seen, tuple(dict.fromkeys(said)),
        networks.compares, kept, labelled, 0 if lesson.more is None else len(lesson.more),
    )  # fmt: skip


def _transfer(
    rows: Samples, more: Samples | None, task: Task
) -> tuple[Samples, Samples | None, list[str]]:
    """Training rows with those without labels, what the control trains on, and a note on both."""
    if more is None:
        return rows, None, []
    both = joined(rows, more, task)
    note = f"{len(more):,} inputs without labels learn from the teacher beside {len(rows):,} rows"
    if not rows.has_labels:
        return both, None, [f"{note}, which have none either."]
    note += (
        " with labels. Losses on labels skip them; the control trains on the labelled rows alone,"
        f" with as many updates: each row {len(both) / len(rows):.3g} times per epoch."
    )
    return both, repeated(rows, len(both)), [note]


def networks_of(request: NetworkRequest, data: NetworkData, sides: NetworkSides) -> Networks:
    """Teacher and students, with what their outputs mean.

    Parameters
    ----------
    request, data, sides
        As for `understand`.
    """
    rows, tutor, teacher, task = sides.rows, data.tutor, data.teacher, request.task
    pupils = [started(m, request.seed, rows, tutor, request.start) for m in data.makers]
    _check_no_start(tutor, pupils, request.start)
    alike = [pupil for pupil, _ in pupils]
    places = places_of(request.output)
    meant = places["student"] if data.outside else request.output
    classes = data.classes
    reads, notes = read_outputs(rows, tutor, alike, meant, task, classes, optional=data.outside)
    if data.outside:
        tutor, said = outside_teacher(
            teacher, data.coded.data, rows, alike[0], classes=classes, output=places["teacher"],
            task=str(task.kind if isinstance(task, Task) else task or ""),
        )  # fmt: skip
        teacher, notes = tutor, [*notes, *said]
    reads, vocabulary, padded = share_outputs(
        rows, tutor, alike, reads, request.vocabulary, request.tokenizers
    )
    compares = _compares(request.objective, request.filter, tutor, alike, rows)
    found = task_of(
        rows, tutor, alike, task, request.tokenizers, vocabulary=vocabulary, compares=compares
    )
    notes += probability_notes(parts_of(tutor)) + padded
    tutor = one_teacher(teacher, found)
    if data.named is not None:
        data.named.refuse(found)
        classes = classes if found.classifies else None
    found = named_task(found, classes, request.unit, tutor, alike[0])
    copied = [note for _, report in pupils if report is not None for note in report.sheet().notes]
    return Networks(tutor, alike, reads, found, compares, copied, notes)


def lesson_of(
    request: NetworkRequest, data: NetworkData, sides: NetworkSides, networks: Networks
) -> Lesson:
    """The objective with what it reads, and rows in the shape of the task.

    Parameters
    ----------
    request, data, sides
        As for `understand`.
    networks : Networks
        Teacher and students.
    """
    task, tutor, coded = networks.task, networks.teacher, data.coded
    rows, test, given = sides.rows.aimed(task), sides.test.aimed(task), request.filter
    if given is not None:
        given = for_rows(given, rows, Samples.of(coded.data, coded.y, classes=coded.names), task)
    share = validation_share(coded.validation, data.settings)
    checked = None
    if coded.validation is not None and not isinstance(coded.validation, Real):
        workers = data.settings.num_workers
        checked = Samples.of(
            coded.validation, pad=data.pad, num_workers=workers, classes=coded.names
        ).aimed(task)
    asked = request.objective
    alone = request.logits_alone or request.recipe is not None
    aim = default_objective(task, rows, tutor, alone) if asked is None else Objective.of(asked)
    check_outside(tutor, aim, given)
    layers = (aim.needs if given is None else aim.needs | given.needs).teacher_layers
    kept = cache_of(request.cache, tutor, rows, layers, request.folder)
    check_lacking(aim, task, rows, kept or tutor, len(data.makers), request.mode, given)
    check_scored(checked, (kept or tutor) if networks.compares else None)
    if not (networks.compares or rows.has_labels):
        share = 0.0  # there is nothing to choose an epoch by
    more = _more(request, data, rows, tutor, given)
    return Lesson(aim, given, kept, rows, test, checked, share, more)


def _more(
    request: NetworkRequest,
    data: NetworkData,
    rows: Samples,
    tutor: nn.Module | None,
    given: Filter | None,
) -> Samples | None:
    """Inputs without labels, if there are any, refused where nothing can be learned of them."""
    if request.unlabelled is None:
        return None
    if tutor is None:
        raise InvalidInput(
            "unlabelled was given without a teacher.",
            "Give a teacher, or leave unlabelled out: nothing else says what they are.",
        )
    if request.cases is not None:
        raise InvalidInput(
            "unlabelled was given with cases, and has none.",
            "Join these rows to the data, with the label -1 and the case of each.",
        )
    if isinstance(given, RowWeights):
        raise InvalidInput(
            "unlabelled was given with RowWeights, which have a weight for each row of the data.",
            "Join these rows to the data, with the label -1 and a weight for each.",
        )
    return unlabelled_samples(request.unlabelled, rows, data.pad)


def _tried(data: NetworkData, lesson: Lesson, networks: Networks) -> tuple[Any, list[str]]:
    """Inputs that no network reads, and notes, once all networks answered some of all rows."""
    rows, tutor, named = lesson.rows, networks.teacher, networks.named
    later = {"validation": lesson.validation, "test": lesson.test}
    for what, side in later.items():
        if what == "validation" or data.coded.test is not None:
            check_all_read(side, what, named)
    if tutor is not None and len(networks.students) == 1:
        check_layers(lesson.objective, networks.task, rows, tutor, networks.students[0])
    sides = (rows, "training"), (lesson.test, "test"), (lesson.validation, "validation")
    for side, what in sides:
        if side is not None:
            check_inputs(side, what, named)
    for side in (rows, lesson.test):
        try_extremes(side, named)
    notes: list[str] = []
    if lesson.more is not None:
        check_all_read(lesson.more, "unlabelled", named)
        check_inputs(lesson.more, "unlabelled", named)
        try_extremes(lesson.more, named)
    if tutor is not None and networks.compares:
        size = data.settings.batch_size
        notes = check_class_order(rows, tutor, networks.task, data.named, size)
    return unread_inputs(rows, list(named.values())), notes


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


def _check_no_start(
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
