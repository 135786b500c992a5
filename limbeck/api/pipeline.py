"""One pipeline for readable students: read -> split -> teach -> control -> certify -> result."""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from inspect import signature
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.certificates.certify import certify
from limbeck.certificates.wording import versions
from limbeck.core.columns import Features, Rows
from limbeck.core.contract import (
    Certificate,
    Method,
    MethodResult,
    Progress,
    Task,
    Teacher,
    answers,
)
from limbeck.core.errors import InvalidInput, plural
from limbeck.core.progress import shown
from limbeck.data.cases import read_column
from limbeck.data.class_weights import ClassWeight, class_weights
from limbeck.data.duplicates import Rule
from limbeck.data.inputs import read_pair, some_rows
from limbeck.data.labels import positions, read_labels
from limbeck.data.unlabelled import label_codes, refuse_unlabelled, unlabelled_note, with_none
from limbeck.evaluation.baselines import LinearModel, told_constant
from limbeck.evaluation.by_class import never_predicted
from limbeck.evaluation.comparison import Comparison, ModelPredictions, compare, score
from limbeck.evaluation.holdout import Apart, set_apart
from limbeck.results.distillation import Distillation, check_saved_names
from limbeck.results.distillation_record import Holdout
from limbeck.selection.routes import refuse_without_access
from limbeck.students.targets import read_weight
from limbeck.teachers import as_teacher
from limbeck.teachers.order import check_order

__all__ = ["Request", "run"]

_ASKED = 1000  # rows by which the order of the classes is checked
_LOOKED_AT = (256, 2048)  # rows by which outputs are understood, with labels and without


@dataclass(frozen=True, eq=False)
class Request:
    """What was asked for, before anything is read; the fields are `limbeck.distill`'s arguments.

    ``outputs`` are those that say what the teacher's outputs are: classes, regression, unit,
    score_kind, preprocess, output; None where they are to be found out.
    """

    teacher: Any
    X: Any
    y: Any
    method: Method
    into: str
    epsilon: float
    delta: float
    seed: int
    holdout: Any = 0.3
    groups: Any = None
    cases: Any = None
    duplicates: Rule = "auto"
    sample_weight: Any = None
    class_weight: ClassWeight = None
    names: Sequence[str] | None = None
    outputs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def by_class(self) -> bool:
        """Whether the groups of the certificate are the classes that the teacher predicts."""
        return isinstance(self.groups, str) and self.groups == "class"


@dataclass(frozen=True, eq=False)
class LabelledRows:
    """The rows as they were understood: without columns that are no features, labels as given."""

    X: Any
    y: NDArray[Any] | None
    labels: Any
    features: Features
    weight: NDArray[np.float64] | None
    weighing: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Taught:
    """The teacher, the labels of both sides in its classes, and what the method found."""

    teacher: Teacher
    fit_y: NDArray[Any] | None
    test_y: NDArray[Any] | None
    notes: tuple[str, ...]

    @property
    def task(self) -> Task:
        """What the teacher predicts."""
        return self.teacher.task


def run(request: Request, progress: bool | None) -> Distillation:
    """Distil, train the control, certify; see `limbeck.distill`.

    Parameters
    ----------
    request : Request
        The arguments of the call, checked.
    progress : bool or None
        A progress bar; None shows one only on a terminal.
    """
    started = time.perf_counter()
    table = read(request)
    apart = split(request, table)
    taught = understand(request, table, apart)
    teach, learn, rest = np.random.default_rng(request.seed).spawn(3)
    with shown(progress) as tell:
        weighing = dict(table.weighing)
        if table.weight is not None:
            weighing["sample_weight"] = apart.fit.weight
        finding = request.method.distill(taught.teacher, apart.fit_rows, teach, tell, **weighing)
        finding.student.measured(apart.fit_rows.values)
        tell("asking the teacher about the holdout rows", 0, 1)
        asked = taught.teacher.scores(table.features.in_order(apart.test.X))
        told = answers(asked, taught.task)
        certificate = certified(request, apart, taught, finding, told, tell)
        comparison = compared(request, apart, taught, finding, told, (learn, rest), tell)
    return result(request, apart, taught, finding, told, certificate, comparison, started)


def read(request: Request) -> LabelledRows:
    """What the rows are; refuses what cannot be used, before any work.

    Raises
    ------
    InvalidInput
        With the argument that is wrong.
    """
    X, y = read_pair(request.X, request.y)
    if request.by_class and "class" in list(getattr(X, "columns", ())):
        raise InvalidInput(
            "groups is 'class', which may be a column of X or the classes of the teacher.",
            "Give groups=X['class'] for the column; rename it for the teacher's classes.",
        )
    weight = request.sample_weight
    if isinstance(weight, str):
        X, weight = _without(X, weight), read_column(weight, X, "weights")
    weight = None if weight is None else read_weight(weight, len(X))
    weighing = _weighing(request.method, sample_weight=weight, class_weight=request.class_weight)
    cases = request.cases
    rows = _without(X, cases) if isinstance(cases, str) else X
    features = Features.of(rows, request.names)
    check_saved_names(features.names, None if request.by_class else request.groups, cases)
    return LabelledRows(X, read_labels(y, len(X), missing=True), y, features, weight, weighing)


def split(request: Request, table: LabelledRows) -> Apart:
    """The rows that the method sees, and those of the certificate."""
    holdout = request.holdout
    if isinstance(holdout, tuple) and len(holdout) == 2:
        holdout = read_pair(*holdout)
    return set_apart(
        table.X,
        table.y,
        None if request.by_class else request.groups,
        holdout,
        request.seed,
        features=table.features,
        cases=request.cases,
        duplicates=request.duplicates,
        weight=table.weight,
    )


def understand(request: Request, table: LabelledRows, apart: Apart) -> Taught:
    """The teacher with what its outputs are, and the labels as its classes.

    Raises
    ------
    AccessDenied
        If the method needs more of the teacher than it grants.
    InvalidInput
        If outputs and labels do not fit each other.
    """
    said = {name: value for name, value in request.outputs.items() if value is not None}
    known = table.y is not None or "classes" in said
    example = some_rows(apart.fit.X, _LOOKED_AT[0 if known else 1])
    teacher = as_teacher(request.teacher, table.labels, example=example, **said)
    task = teacher.task
    refuse_without_access(request.method, teacher)
    if request.by_class and not task.classifies:
        raise InvalidInput(
            "groups='class' was given for a teacher that predicts a number.",
            "Give groups of the rows, or leave groups out.",
        )
    if "regression" not in said and not task.classifies:
        refuse_unlabelled(table.y)
    fit_y, test_y = label_codes(apart.fit.y, apart.test.y, task)
    notes = [getattr(teacher, "note", ""), unlabelled_note(fit_y, test_y, task=task)]
    if fit_y is not None and task.classifies:
        labelled = np.flatnonzero(fit_y >= 0)
        some = some_rows(apart.fit.take(labelled).X, _ASKED)
        notes.append(check_order(teacher, some, some_rows(fit_y[labelled], _ASKED)))
    return Taught(teacher, fit_y, test_y, tuple(notes))


def certified(
    request: Request,
    apart: Apart,
    taught: Taught,
    finding: MethodResult,
    told: NDArray[Any],
    tell: Progress,
) -> Certificate:
    """How far the student is from the teacher, on the rows set aside."""
    tell("certificate", 0, 1)
    return certify(
        finding.student,
        apart.test_rows,
        _named(told, taught.task),
        delta=request.delta,
        epsilon=request.epsilon,
        seen=apart.seen,
        groups=_groups(request, apart, taught.task, told),
        cases=apart.test.cases,
        duplicates=apart.duplicates,
    )


def compared(
    request: Request,
    apart: Apart,
    taught: Taught,
    finding: MethodResult,
    told: NDArray[Any],
    chance: tuple[np.random.Generator, np.random.Generator],
    tell: Progress,
) -> Comparison:
    """Teacher, student, control and baselines on the same rows."""
    once, task = apart.once, taught.task
    test = apart.test_rows[once]
    contenders = [
        ModelPredictions("teacher", taught.teacher.name, str(getattr(taught.teacher, "size", "")),
                  told[once]),
        _contender("student", finding.student, test, task),
    ]  # fmt: skip
    if taught.fit_y is not None:
        tell("control", 0, 1)
        control = controlled(request, apart, taught, chance[0])
        contenders.append(_contender("control", control, test, task))
    linear, rivals = baselines(request, apart, taught, finding, chance[1])
    weights = plural(linear.size, "weight")
    contenders.append(
        ModelPredictions("baseline", "linear model", weights, linear.predict(test.values))
    )
    contenders += [_contender("baseline", r, test, task, name) for name, r in rivals.items()]
    cases, labels = apart.test.cases, taught.test_y
    found = compare(
        contenders,
        told[once],
        None if labels is None else labels[once],
        task,
        request.delta,
        None if cases is None else cases[once],
    )
    return found.with_best_of(list(finding.rivals))


def controlled(request: Request, apart: Apart, taught: Taught, chance: Any) -> Any:
    """The same student with the same limits, from labels, with no teacher."""
    y, weight = taught.fit_y, apart.fit.weight
    assert y is not None  # noqa: S101
    labelled = np.flatnonzero(y >= 0) if taught.task.classifies else np.arange(len(y))
    known = None if weight is None else weight[labelled]
    learnt = _by_class(request.class_weight, taught.task, y[labelled], known)
    weighing: dict[str, Any] = {} if learnt is None else {"sample_weight": learnt}
    rows = apart.fit_rows[labelled]
    return request.method.learn(rows, y[labelled], taught.task, chance, **weighing)


def baselines(
    request: Request, apart: Apart, taught: Taught, finding: MethodResult, chance: Any
) -> tuple[LinearModel, Mapping[str, Any]]:
    """The linear model and the method's own baselines, taught by the same teacher."""
    rows, task = apart.fit_rows, taught.task
    own = answers(taught.teacher.scores(rows.native()), task)
    weight = _by_class(request.class_weight, task, own, apart.fit.weight)
    linear = LinearModel(rows.features, task).fit(rows.values, own, weight)
    if finding.rivals:
        return linear, finding.rivals
    return linear, request.method.baselines(taught.teacher, rows, own, finding, chance, weight)


def result(
    request: Request,
    apart: Apart,
    taught: Taught,
    finding: MethodResult,
    told: NDArray[Any],
    certificate: Certificate,
    comparison: Comparison,
    started: float,
) -> Distillation:
    """All of it as a record that prints, draws and saves itself."""
    task, once, student = taught.task, apart.once, finding.student
    on_rows = _predicted(student, apart.fit_rows, task)
    status = told_constant(
        finding.status, on_rows, told, task, request.epsilon, certificate.reached
    )
    lost = never_predicted(comparison.classes, len(once))
    notes = (*taught.notes, lost, *student.notes(apart.fit_rows))
    return Distillation(
        student=student,
        status=status,
        certificate=certificate,
        comparison=comparison,
        frontier=_frontier(finding, apart.test_rows[once], told[once], task),
        queries=finding.queries,
        rows_seen=len(apart.fit_rows),
        trace={**finding.trace, **apart.facts},
        settings={
            "into": request.into,
            "method": repr(request.method),
            "teacher": taught.teacher.name,
            "epsilon": request.epsilon,
            "delta": request.delta,
            "seed": request.seed,
            "seconds": round(time.perf_counter() - started, 3),
            "versions": {
                "python": platform.python_version(),
                **versions("scikit-learn", "pandas"),
            },
        },
        holdout=Holdout(
            apart.test_rows,
            _named(told, task),
            with_none(apart.test.y),
            _groups(request, apart, task, told),
            apart.seen,
            apart.test.cases,
        ),
        notes=tuple(note for note in notes if note),
    )


def _without(X: Any, column: str) -> Any:
    """A table without a column that is no feature, such as one that names cases."""
    read_column(column, X, "cases")  # refuses what is not there
    return X.drop(columns=column)


def _weighing(method: Method, **given: Any) -> dict[str, Any]:
    """Weights that were given, or why the method cannot use them."""
    known = signature(method.distill).parameters
    for name, value in given.items():
        if value is not None and name not in known:
            raise InvalidInput(
                f"{name} was given, and the method {method.name!r} counts all rows alike.",
                f"Leave {name} out, or ask for into='tree' or into='junta'.",
            )
    return {name: value for name, value in given.items() if value is not None}


def _by_class(
    class_weight: ClassWeight, task: Task, codes: NDArray[Any], weight: Any
) -> NDArray[np.float64] | None:
    """Weights of rows with those of their classes; None where all count alike."""
    if class_weight is None:
        return None if weight is None else np.asarray(weight)
    each = class_weights(class_weight, task, codes, weight)[codes]
    return np.asarray(each if weight is None else each * weight)


def _groups(request: Request, apart: Apart, task: Task, told: NDArray[Any]) -> Any:
    if not request.by_class:
        return apart.test.groups
    return np.array([str(label) for label in _named(told, task)])


def _named(told: NDArray[Any], task: Task) -> NDArray[Any]:
    return task.labels[told] if task.classifies else told


def _predicted(student: Any, rows: Rows, task: Task) -> NDArray[Any]:
    found = positions(np.asarray(student.predict(rows)), task)
    assert found is not None  # noqa: S101  (labels were given)
    return found


def _contender(role: str, student: Any, rows: Rows, task: Task, name: str = "") -> ModelPredictions:
    """A line of the table; a student is called by its class where it has no name there."""
    unit = student.size_unit
    one = "leaf" if unit == "leaves" else unit.removesuffix("s")
    kind = name or type(student).__name__.lower().removesuffix("student")
    return ModelPredictions(
        role, kind, plural(student.size, one, unit), _predicted(student, rows, task)
    )


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
