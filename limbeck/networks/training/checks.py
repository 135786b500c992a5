"""What is refused before a student is trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from limbeck.core.errors import InvalidInput
from limbeck.modules.batch import Goal
from limbeck.networks.datasets.data import Samples
from limbeck.networks.losses.filters import Filter
from limbeck.networks.losses.loss import Needs, Objective

if TYPE_CHECKING:
    from limbeck.networks.cache.teacher_cache import TeacherCache

__all__ = [
    "refuse_metrics",
    "refuse_outputs",
    "refuse_patience",
    "refuse_settings",
    "refuse_shared",
    "refuse_unscored",
]


def refuse_settings(
    objective: Objective,
    goal: Goal,
    samples: Samples,
    teacher: nn.Module | TeacherCache | None,
    filter: Filter | None,  # noqa: A002  (the word of the design)
    peers: bool,
) -> None:
    """Refuse terms, and a filter, that read what is not there, or have no meaning for the goal.

    Raises
    ------
    InvalidInput
        Names the term.
    """
    objective.check(goal)
    readers = [(p.term.name, p.term.needs) for p in objective.parts]
    if filter is not None:
        filter.check(goal, len(samples))
        readers.append(
            (type(filter).__name__, filter.needs | Needs(teacher=True, same_outputs=False))
        )
    stored = teacher is not None and not isinstance(teacher, nn.Module)
    for name, needs in readers:
        if needs.labels and not samples.has_labels:
            raise InvalidInput(
                f"{name} reads labels, and the samples have none.",
                "Leave it out and learn from the teacher alone, or give the labels.",
            )
        if needs.teacher and teacher is None and not peers:
            raise InvalidInput(f"{name} needs a teacher, and there is none.", "Give one.")
        if peers and (needs.runs or needs.teacher_layers):
            raise InvalidInput(
                f"{name} reads a teacher's layers, and students that teach each other share only"
                " their predictions.",
                "Use terms on predictions, such as SoftTargets, there.",
            )
        if stored and needs.runs:
            raise InvalidInput(
                f"{name} runs the teacher again, which stored outputs cannot.",
                "Give the teacher itself.",
            )


def refuse_patience(patience: int | None, validation: Samples | None) -> None:
    """Refuse to wait for what is not measured.

    Raises
    ------
    InvalidInput
        With the number of epochs.
    """
    if patience is not None and validation is None:
        raise InvalidInput(
            f"patience is {patience}, and there are no validation rows.",
            "Give validation rows, or no patience: early stopping needs rows that do not train.",
        )


def refuse_metrics(metrics: Mapping[str, Any] | None, validation: Samples | None) -> None:
    """Refuse metrics without rows to compute them of.

    Parameters
    ----------
    metrics : mapping or None
        Functions by name.
    validation : Samples or None
        Rows set aside.

    Raises
    ------
    InvalidInput
        Names the metrics.
    """
    if metrics and validation is None:
        raise InvalidInput(
            f"metrics names {', '.join(sorted(metrics))}, and there are no validation rows.",
            "Give validation rows, or a share of the training rows: validation=0.1.",
        )


def refuse_unscored(validation: Samples | None, teacher: object) -> None:
    """Refuse validation rows without labels that no teacher can be asked about.

    Parameters
    ----------
    validation : Samples or None
        Rows to choose by.
    teacher : nn.Module, TeacherCache or None
        Stored outputs are of the training rows only.

    Raises
    ------
    InvalidInput
        With the remedy.
    """
    if validation is not None and not validation.has_labels and not isinstance(teacher, nn.Module):
        why = "there is no teacher" if teacher is None else "stored outputs are of training rows"
        raise InvalidInput(
            f"The validation rows have no labels, and {why}.",
            "Give their labels, or the teacher itself without a cache.",
        )


def refuse_outputs(logits: Tensor, goal: Goal, who: str) -> None:
    """Refuse a network that does not answer what is predicted.

    Parameters
    ----------
    logits : Tensor
        What it returned for a few rows.
    goal : Goal
        What is predicted.
    who : str
        "teacher" or "student".

    Raises
    ------
    InvalidInput
        With both numbers of outputs.
    """
    dimensions = 3 if goal.sequential else 2
    if logits.ndim != dimensions or logits.shape[-1] != goal.outputs:
        wanted = "(n, t, k)" if goal.sequential else "(n, k)"
        raise InvalidInput(
            f"The {who} returned shape {tuple(logits.shape)}; {goal.kind} with {goal.outputs}"
            f" outputs needs {wanted} with k = {goal.outputs}.",
            "Give teacher and student the same classes or vocabulary: exchange the student's last"
            " layer, or select the teacher's outputs in a module around it.",
        )


def refuse_shared(teacher: nn.Module, student: nn.Module) -> None:
    """Refuse a student that is trained inside its own teacher.

    Raises
    ------
    InvalidInput
        Names a weight that both have.
    """
    own = {id(p) for p in teacher.parameters()}
    shared = [n for n, p in student.named_parameters() if id(p) in own]
    if shared:
        raise InvalidInput(
            f"Student and teacher share the weight {shared[0]!r}.",
            "Give the student a copy: copy.deepcopy(teacher.layer).",
        )
