"""The steps of a distillation from a table of rows into a readable student."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from limbeck.api.chained import can_be_chained, chained, kind_of
from limbeck.api.kept_steps import kept_result, kept_student, kept_students
from limbeck.api.prepare.table import Known, LabelledRows, Request, read, split
from limbeck.api.prepare.unlabelled_rows import more_rows_note, with_unlabelled
from limbeck.api.steps import Steps
from limbeck.api.table_controls import baselines, controlled, made_from
from limbeck.certificates.certify import certify
from limbeck.certificates.composed import direct_delta
from limbeck.certificates.wording import versions
from limbeck.core.answers import answers
from limbeck.core.certificate import Certificate
from limbeck.core.columns import Features, Rows
from limbeck.core.contract import MethodResult, Student, Teacher
from limbeck.core.errors import InvalidInput, plural
from limbeck.core.pieces import kept
from limbeck.core.progress import Progress
from limbeck.core.task import Task
from limbeck.data.inputs import some_rows
from limbeck.data.labels import positions
from limbeck.data.ordered_classes import ranks_of
from limbeck.data.unlabelled import check_labelled, label_codes, unlabelled_note, with_none
from limbeck.evaluation.by_class import never_predicted
from limbeck.evaluation.comparison import Comparison, ModelPredictions
from limbeck.evaluation.constant import told_constant
from limbeck.evaluation.drawn_rows import queries_told_apart
from limbeck.evaluation.holdout import Apart, also_seen
from limbeck.evaluation.inherited import inherited_mistakes
from limbeck.evaluation.predictions import compare_predictions, score
from limbeck.evaluation.ranks import far_apart
from limbeck.methods.text_tournament import UNORDERED
from limbeck.results.distillation import Distillation
from limbeck.results.distillation_record import Holdout
from limbeck.selection.routes import check_access
from limbeck.teachers import as_teacher
from limbeck.teachers.endpoints.paid_teacher import PaidTeacher
from limbeck.teachers.kept_answers import KeptAnswers
from limbeck.teachers.order import check_order

__all__ = ["TableSteps", "Taught"]

_ASKED = 1000  # rows by which the order of the classes is checked
_NOT_CHAINED = (
    "The steps are not certified one by one: there are too few rows for a tolerance of each, and"
    " the direct comparison has all of delta."
)


@dataclass(frozen=True, eq=False)
class Taught:
    """What the method found, and what the teacher says of the rows set aside, as class indices."""

    result: MethodResult
    told: NDArray[Any]


@dataclass(frozen=True, eq=False)
class TableSteps(Steps[LabelledRows, Apart, Known, Taught, Comparison, Distillation]):
    """The steps for rows of a table; see `limbeck.api.steps`."""

    request: Request
    looked_at: ClassVar[tuple[int, int]] = (256, 2048)
    """Rows by which outputs are understood, with labels and without."""
    keeps_answers: ClassVar[bool] = True
    """Whether the teacher may be asked about some rows again, to know it by its answers."""

    def read(self) -> LabelledRows:
        """What the rows are; see `limbeck.api.prepare.table.read`."""
        return read(self.request)

    def split(self, data: LabelledRows) -> Apart:
        """The rows that the method sees, some without labels, and those of the certificate."""
        sides = with_unlabelled(split(self.request, data), data, self.request)
        return sides if self.request.seen is None else also_seen(sides, self.request.seen)

    def understand(self, data: LabelledRows, sides: Apart) -> Known:
        """The teacher with what its outputs are, and the labels as its classes.

        Parameters
        ----------
        data : LabelledRows
            All rows.
        sides : Apart
            Those of the method and those of the certificate.

        Raises
        ------
        AccessDenied
            If the method needs more of the teacher than it grants.
        InvalidInput
            If outputs and labels do not fit each other.
        """
        request = self.request
        said = {name: value for name, value in request.outputs.items() if value is not None}
        known = data.y is not None or "classes" in said
        ordered = data.features.in_order
        example = some_rows(ordered(sides.fit.X), self.looked_at[0 if known else 1])
        teacher = as_teacher(request.teacher, data.labels, example=example, **said)
        task = teacher.task
        check_access(request.method, teacher)
        if request.by_class and not task.classifies:
            raise InvalidInput(
                "groups='class' was given for a teacher that predicts a number.",
                "Give groups of the rows, or leave groups out.",
            )
        if (order := getattr(request.method, "ordered", False)) is not False:
            if not task.classifies:
                raise InvalidInput(
                    "ordered was given for a teacher that predicts a number.",
                    "Leave ordered out: numbers keep their order.",
                )
            ranks_of(order, task.classes)  # refused before any work
        if "regression" not in said and not task.classifies:
            check_labelled(data.y)
        fit_y, test_y = label_codes(sides.fit.y, sides.test.y, task)
        notes = [getattr(teacher, "note", ""), unlabelled_note(fit_y, test_y, task=task)]
        notes += [more_rows_note(sides), _read_as(sides.fit_rows)]
        if hasattr(teacher, "about_rows"):  # as of an ensemble: how far its members agree
            notes.append(teacher.about_rows(some_rows(sides.fit.X, _ASKED)))
        notes += self.tested(teacher, sides, data.features, fit_y)
        weighing = dict(data.weighing)
        if data.weight is not None:
            weighing["sample_weight"] = sides.fit.weight
        if kept() and self.keeps_answers and not isinstance(teacher, PaidTeacher):  # has its own
            teacher = KeptAnswers(teacher, some_rows(example, self.looked_at[0]))
        return Known(teacher, sides, data.features, weighing, fit_y, test_y, tuple(notes))

    def tested(
        self, teacher: Teacher, sides: Apart, features: Features, fit_y: NDArray[Any] | None
    ) -> list[str]:
        """What the first answers say: the bill, whether they beat chance, the order of classes.

        Parameters
        ----------
        teacher : Teacher
            Whom to ask.
        sides : Apart
            The rows.
        features : Features
            Their columns.
        fit_y : ndarray of shape (n,), or None
            Labels of the method's rows.
        """
        notes = []
        if isinstance(teacher, PaidTeacher):
            notes.append(_paid(teacher, sides, features, fit_y))
        if fit_y is not None and teacher.task.classifies:
            labelled = np.flatnonzero(fit_y >= 0)
            some = some_rows(features.in_order(sides.fit.take(labelled).X), _ASKED)
            notes.append(check_order(teacher, some, some_rows(fit_y[labelled], _ASKED)))
        return notes

    def teach(self, known: Known, tell: Progress) -> Taught:
        """The student, and the teacher's answers on the rows set aside.

        Parameters
        ----------
        known : Known
            Teacher and rows.
        tell : Progress
            Told how far the search is.
        """
        apart, teacher = known.apart, known.teacher
        found = kept_result(
            "student",
            lambda: made_from(self.request, known, 0),
            lambda: self.request.method.distill(
                teacher, apart.fit_rows, self.request.chance(0), tell, **known.weighing
            ),
        )
        found.student.measured(apart.fit_rows.values)
        told = queries_told_apart(found, self.request.method, apart.fit_rows, self.request.seed)
        if told is not None:
            found = replace(found, trace={**found.trace, "queries_told_apart": told})
        tell("asking the teacher about the holdout rows", 0, 1)
        scores = teacher.scores(known.features.in_order(apart.test.X))
        return Taught(found, answers(scores, known.task))

    def certify(self, known: Known, found: Taught, tell: Progress) -> Certificate:
        """How far the student is from the teacher, on the rows set aside.

        Parameters
        ----------
        known : Known
            Teacher and rows.
        found : Taught
            The student.
        tell : Progress
            Told that this is done.
        """
        tell("certificate", 0, 1)
        request, apart = self.request, known.apart
        several = can_be_chained(request, apart, found.result.steps)
        delta = direct_delta(request.delta) if several else request.delta
        return certify(
            found.result.student,
            apart.test_rows,
            _named(found.told, known.task),
            delta=delta,
            epsilon=request.epsilon,
            seen=apart.seen,
            groups=_groups(request, known, found.told),
            cases=apart.test.cases,
            duplicates=apart.duplicates,
            candidates=request.candidates,
        )

    def compare(self, known: Known, found: Taught, tell: Progress) -> Comparison:
        """Teacher, student, control and baselines on the same rows.

        Parameters
        ----------
        known : Known
            Teacher and rows.
        found : Taught
            The student, and the method's baselines if it names its own.
        tell : Progress
            Told when the control is trained.
        """
        request, apart, task = self.request, known.apart, known.task
        once, told = apart.once, found.told
        test = apart.test_rows[once]
        name, size = known.teacher.name, str(getattr(known.teacher, "size", ""))
        contenders = [
            ModelPredictions("teacher", name, size, told[once]),
            _contender("student", found.result.student, test, task),
        ]
        if known.fit_y is not None:
            tell("control", 0, 1)
            control = kept_student(
                "control",
                lambda: made_from(request, known, 1),
                lambda: controlled(request, known, request.chance(1)),
            )
            contenders.append(_contender("control", control, test, task))
        linear, rivals = kept_students(
            "baselines",
            lambda: [*made_from(request, known, 2), found.result.student.to_dict()],
            lambda: baselines(request, known, found.result, request.chance(2)),
        )
        if linear is not None:
            contenders.append(_contender("baseline", linear, test, task, "linear model"))
        rivals = {**rivals, **self.more_baselines(found)}
        contenders += [_contender("baseline", r, test, task, name) for name, r in rivals.items()]
        cases, labels = apart.test.cases, known.test_y
        table = compare_predictions(
            contenders,
            told[once],
            None if labels is None else labels[once],
            task,
            request.delta,
            None if cases is None else cases[once],
        )
        alike = [name for name in found.result.rivals if name != UNORDERED]
        table = table.with_best_of(alike)
        if labels is None or not (task.classifies and test.features.text):
            return table
        own = {m.role: m.predicted for m in contenders if m.role in ("student", "control")}
        shared = inherited_mistakes(own, told[once], labels[once], task, request.delta)
        return replace(table, inherited=shared)

    def more_baselines(self, found: Taught) -> Mapping[str, Student]:
        """Baselines that are shown in any case.

        Parameters
        ----------
        found : Taught
            The student.
        """
        return {}

    def result(
        self,
        known: Known,
        found: Taught,
        certificate: Certificate | None,
        compared: Comparison,
        seconds: float,
    ) -> Distillation:
        """All of it as a record that prints, draws and saves itself.

        Parameters
        ----------
        known, found, certificate, compared
            What the steps returned.
        seconds : float
            How long they took.
        """
        assert certificate is not None  # noqa: S101  (a table has a teacher)
        request, apart, task = self.request, known.apart, known.task
        student, once, told = found.result.student, apart.once, found.told
        on_rows = _predicted(student, apart.fit_rows, task)
        status = told_constant(
            found.result.status, on_rows, told, task, request.epsilon, certificate.reached,
            student.size_unit,
        )  # fmt: skip
        lost = never_predicted(compared.classes, len(once), student.size_unit)
        answered = getattr(known.teacher, "answer_notes", ())  # what it met while it answered
        chain = chained(request, apart, found.result.steps, _named(told, task), certificate)
        ranks = ""
        places = ranks_of(getattr(request.method, "ordered", False), task.classes)
        if places is not None:
            predicted = _predicted(student, apart.test_rows[once], task)
            ranks = far_apart(predicted, told, request.delta, task.classes, places)
        alone = _NOT_CHAINED if found.result.steps and chain is None else ""
        notes = (*known.notes, *answered, lost, ranks, *student.notes(apart.fit_rows), alone)
        return Distillation(
            student=student,
            status=status,
            certificate=certificate,
            comparison=compared,
            frontier=_frontier(found.result, apart.test_rows[once], told[once], task),
            queries=found.result.queries,
            rows_seen=len(apart.fit_rows),
            trace={**found.result.trace, **apart.facts},
            settings=_settings(request, known.teacher.name, seconds),
            holdout=Holdout(
                apart.test_rows,
                _named(told, task),
                with_none(apart.test.y),
                _groups(request, known, told),
                apart.seen,
                apart.test.cases,
            ),
            notes=tuple(note for note in notes if note),
            steps=found.result.steps,
            chain=chain,
        )


def _read_as(rows: Rows) -> str:
    """In which form the student gets rows that the teacher gets in another."""
    if rows.features.written:
        return "The student reads each row as one text, a line for each column: name: value."
    if rows.given is not None and rows.features.shape:
        _, h, w = rows.features.shape
        return (
            f"The teacher reads the image files; the student sees them at {w} x {h} pixels, as"
            " fractions of 1."
        )
    return ""


def _paid(teacher: PaidTeacher, sides: Apart, features: Features, fit_y: Any) -> str:
    """Budget and worth of a teacher that costs, checked first; then all rows are asked about."""
    labelled = np.flatnonzero(fit_y >= 0) if fit_y is not None else np.arange(0)
    some = features.in_order(sides.fit.take(labelled).X) if len(labelled) else None
    parts = [sides.fit_rows.native(), features.in_order(sides.test.X)]
    return teacher.check_before(parts, some, None if some is None else fit_y[labelled])


def _settings(request: Request, teacher: str, seconds: float) -> dict[str, Any]:
    """Everything needed to run it again, versions included."""
    return {
        "into": request.into,
        "method": repr(request.method),
        "teacher": teacher,
        "epsilon": request.epsilon,
        "delta": request.delta,
        "seed": request.seed,
        "seconds": seconds,
        "versions": {"python": platform.python_version(), **versions("scikit-learn", "pandas")},
    }


def _groups(request: Request, known: Known, told: NDArray[Any]) -> Any:
    if not request.by_class:
        return known.apart.test.groups
    return np.array([str(label) for label in _named(told, known.task)])


def _named(told: NDArray[Any], task: Task) -> NDArray[Any]:
    return task.labels[told] if task.classifies else told


def _predicted(student: Any, rows: Rows, task: Task) -> NDArray[Any]:
    found = positions(np.asarray(student.predict(rows)), task)
    assert found is not None  # noqa: S101  (labels were given)
    return found


def _contender(role: str, student: Any, rows: Rows, task: Task, name: str = "") -> ModelPredictions:
    """A line of the table; a student is called as it is registered, or by name."""
    unit = student.size_unit
    one = "leaf" if unit == "leaves" else unit.removesuffix("s")
    size = plural(student.size, one, unit)
    return ModelPredictions(role, name or kind_of(student), size, _predicted(student, rows, task))


def _frontier(
    finding: MethodResult, rows: Rows, told: NDArray[Any], task: Task
) -> tuple[dict[str, float], ...]:
    costs = dict(map(tuple, finding.trace.get("frontier", ())))
    return tuple(
        {
            "size": student.size,
            "cost": costs.get(student.size, float("nan")),
            "agreement": score(_predicted(student, rows, task), told, task),
        }
        for student in finding.frontier
    )
