"""Levels 0 and 1: hard labels, from the data or from the teacher."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limbeck.core.errors import InvalidInput
from limbeck.core.registry import LOSSES
from limbeck.core.task import Task, TaskKind
from limbeck.modules.batch import Over, Step, weighted_mean
from limbeck.networks.losses.loss import Loss, Needs

__all__ = ["GoldLabels", "TeacherLabels", "gold_labels", "teacher_labels"]


def gold_labels(
    student: Tensor,
    labels: Tensor,
    kind: TaskKind,
    weight: Tensor | None = None,
    label_smoothing: float = 0.0,
    labelled: Tensor | None = None,
) -> Tensor:
    """The loss of plain training: what people write by hand.

    Parameters
    ----------
    student : Tensor of shape (p, k)
        Logits, or values for regression.
    labels : Tensor of shape (p,) or (p, k)
        Classes, or distributions over classes; 0 and 1 for multi-label; values for regression.
    kind : TaskKind
        Cross entropy -sum_c y_c log softmax(s)_c for classes and tokens; binary cross entropy for
        multi-label and squared error for regression, both the mean over rows and outputs.
    weight : Tensor of shape (p,), optional
        How much each row counts.
    label_smoothing : float
        The share e of the label that is spread evenly over the k classes, y (1 - e) + e / k, as
        in ``torch.nn.CrossEntropyLoss`` (Szegedy et al. 2016, section 7); for multi-label over
        the two answers of each label, y (1 - e) + e / 2.
    labelled : Tensor of bool of shape (p,), or (p, k) for multi-label and numbers, optional
        What has a label; the rest counts nothing. None means all.

    Returns
    -------
    Tensor
        The (weighted) mean over rows, a scalar; 0 where there is none.
    """
    if not student.numel():
        return student.sum()
    how = "mean" if weight is None and labelled is None else "none"
    if kind is TaskKind.MULTILABEL:
        labels = labels.to(student.dtype)
        if label_smoothing:
            labels = labels * (1 - label_smoothing) + label_smoothing / 2
        losses = F.binary_cross_entropy_with_logits(student, labels, reduction=how)
    elif kind is TaskKind.REGRESSION:
        if labelled is not None:  # NaN would reach the gradient of what does not count
            labels = torch.where(labelled, labels.reshape(labelled.shape), 0.0)
        losses = F.mse_loss(student, labels.to(student.dtype).reshape(student.shape), reduction=how)
    else:
        labels = labels.to(student.dtype) if labels.ndim == 2 else labels
        losses = F.cross_entropy(student, labels, reduction=how, label_smoothing=label_smoothing)
    if how == "mean":
        return losses
    return _counted_mean(losses, weight, labelled)


def _counted_mean(losses: Tensor, weight: Tensor | None, labelled: Tensor | None) -> Tensor:
    """The weighted mean of losses (p,) or (p, k), over what has a label."""
    if labelled is None:
        return weighted_mean(losses.mean(-1) if losses.ndim == 2 else losses, weight)
    counts = labelled.to(losses.dtype)
    if weight is not None:
        counts = counts * (weight if counts.ndim == 1 else weight[:, None])
    return weighted_mean(torch.where(labelled, losses, 0.0).flatten(), counts.flatten())


def teacher_labels(
    student: Tensor, teacher: Tensor, kind: TaskKind, weight: Tensor | None = None
) -> Tensor:
    """The loss of plain training on the teacher's answers.

    As `gold_labels`, with labels argmax(t), or t > 0 for multi-label. At student = teacher it is
    the mean of -log(the largest probability), its least value 0 where the teacher is certain.

    Parameters
    ----------
    student, teacher : Tensor of shape (p, k)
        Logits, or values.
    kind : TaskKind
        What is predicted.
    weight : Tensor of shape (p,), optional
        How much each row counts.
    """
    answers = teacher > 0 if kind is TaskKind.MULTILABEL else teacher.argmax(-1)
    return gold_labels(student, answers, kind, weight)


@LOSSES.register("GoldLabels")
@dataclass(frozen=True)
class GoldLabels(Loss):
    """Level 0: the labels of the data, on all rows that have one, whatever a filter says.

    Parameters
    ----------
    rest : bool
        Whether only the rows count that the filter leaves out (weight 0), so that each row has
        one source: "the teacher where it is right, labels on the rest". Where no teacher takes
        part (a control), all rows count.
    label_smoothing : float
        From 0 to 1: as in ``torch.nn.CrossEntropyLoss``; see `gold_labels`.

    Raises
    ------
    InvalidInput
        If ``label_smoothing`` is no such number.

    Examples
    --------
    >>> from limbeck.networks import GoldLabels, SoftTargets
    >>> objective = SoftTargets(temperature=4) + GoldLabels(label_smoothing=0.1)
    >>> objective.names
    ('SoftTargets', 'GoldLabels')
    """

    level: ClassVar[int] = 0
    rest: bool = False
    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        if isinstance(self.label_smoothing, bool) or not 0 <= self.label_smoothing <= 1:
            raise InvalidInput(
                f"label_smoothing is {self.label_smoothing!r}.", "Give a number from 0 to 1."
            )

    def check(self, task: Task) -> None:
        """Refuse smoothed numbers."""
        if self.label_smoothing and task.kind is TaskKind.REGRESSION:
            raise InvalidInput(
                f"label_smoothing is {self.label_smoothing:g}, and the task is regression.",
                "Leave it out: only classes can be smoothed.",
            )

    @property
    def needs(self) -> Needs:
        """Labels."""
        return Needs(labels=True)

    @property
    def over(self) -> Over:
        """All outputs with a label, or those left out; without a filter the two are the same."""
        return Over.REST if self.rest else Over.LABELS

    def loss(self, step: Step, maps: nn.Module | None) -> Tensor:
        """The mean over all rows, or over the rest.

        Raises
        ------
        InvalidInput
            If the rest is asked for and there is no filter.
        """
        aligned = step.aligned
        assert aligned.labels is not None  # noqa: S101  (data without labels is refused before)
        weight = None
        if self.rest and step.teacher is not None:
            if aligned.weight is None:
                raise InvalidInput(
                    "GoldLabels(rest=True) learns the rows that a filter leaves out, and there is"
                    " no filter.",
                    "Give a filter such as TeacherCorrect(), or GoldLabels().",
                )
            weight = (aligned.weight == 0).to(aligned.student.dtype)
        return gold_labels(
            aligned.student, aligned.labels, step.task.kind, weight, self.label_smoothing,
            step.labelled,
        )  # fmt: skip


@LOSSES.register("TeacherLabels")
@dataclass(frozen=True)
class TeacherLabels(Loss):
    """Level 1: the teacher's answers as if they were labels.

    Examples
    --------
    >>> from limbeck.networks import GoldLabels, TeacherLabels
    >>> (0.5 * TeacherLabels() + 0.5 * GoldLabels()).names
    ('TeacherLabels', 'GoldLabels')
    """

    level: ClassVar[int] = 1

    @property
    def needs(self) -> Needs:
        """A teacher."""
        return Needs(teacher=True)

    def check(self, task: Task) -> None:
        """Refuse regression: a number has no hard label."""
        if task.kind is TaskKind.REGRESSION:
            raise InvalidInput(
                "TeacherLabels was asked for regression.", "Use Logits(): the teacher's values."
            )

    def loss(self, step: Step, maps: nn.Module | None) -> Tensor:
        """The weighted mean over rows."""
        a = step.aligned
        assert a.teacher is not None  # noqa: S101  (see needs)
        return teacher_labels(a.student, a.teacher, step.task.kind, a.weight)
