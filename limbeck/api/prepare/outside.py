"""What models that are no networks can teach, looked at before any work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import nn

from limbeck.core.answers import ScoreKind
from limbeck.core.errors import InvalidInput
from limbeck.core.task import TaskKind
from limbeck.modules.capture import asking, placed
from limbeck.modules.outputs import answer
from limbeck.networks.datasets.data import Samples
from limbeck.networks.losses.filters import Filter
from limbeck.networks.losses.labels import GoldLabels, TeacherLabels
from limbeck.networks.losses.loss import Needs, Objective
from limbeck.networks.teachers import outside
from limbeck.networks.teachers.outside import OutsideTeacher

__all__ = ["check_outside", "outside_teacher"]


def outside_teacher(
    teacher: Any,
    data: Any,
    rows: Samples,
    student: nn.Module,
    *,
    classes: Sequence[Any] | None,
    output: Any,
    task: str,
) -> tuple[OutsideTeacher, list[str]]:
    """A teacher for this student; see `limbeck.networks.teachers.outside.outside_teacher`.

    Parameters
    ----------
    teacher, data, rows, classes, output
        As there.
    student : nn.Module
        The number of its outputs is what the answers must fit.
    task : str
        What is predicted, where it was said.
    """
    with asking(student):
        inputs = rows.fetch(range(min(len(rows), 2))).inputs
        k = answer(student, placed(inputs, student)).shape[-1]
    numbers = task == TaskKind.REGRESSION
    return outside.outside_teacher(
        teacher, data, rows, k, classes=classes, regression=numbers, output=output
    )


def check_outside(
    teacher: nn.Module | None,
    objective: Objective,
    filter: Filter | None,  # noqa: A002
) -> None:
    """Refuse losses that read more of a teacher than it has: layers, or scores of mere labels.

    Parameters
    ----------
    teacher : nn.Module or None
        The teacher; only one that is not a network of PyTorch is checked.
    objective : Objective
        Its losses say what they read.
    filter : Filter or None
        Which samples use the teacher's signal.

    Raises
    ------
    InvalidInput
        Names the loss.
    """
    if not isinstance(teacher, OutsideTeacher):
        return
    readers = [(p.term.name, p.term.needs) for p in objective.parts]
    if filter is not None:
        readers.append((type(filter).__name__, filter.needs | Needs(teacher=True)))
    for name, needs in readers:
        if needs.teacher_layers or needs.runs:
            raise InvalidInput(
                f"{name} reads layers of the teacher, and {teacher.name} is no network: it gives"
                " outputs only.",
                "Use losses on outputs, such as SoftTargets or Logits.",
            )
    hard = TeacherLabels | GoldLabels
    terms = [p.term for p in objective.parts]
    soft = [t.name for t in terms if t.needs.teacher and not isinstance(t, hard)]
    if teacher.kind is ScoreKind.LABEL and soft:
        raise InvalidInput(
            f"{soft[0]} reads scores of the teacher, and {teacher.name} answers with labels only.",
            "Use TeacherLabels(), or give a teacher with probabilities, such as a classifier with"
            " predict_proba.",
        )
