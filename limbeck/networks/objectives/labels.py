"""Levels 0 and 1: hard labels, from the data or from the teacher."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from limbeck.errors import InvalidInput
from limbeck.networks.objective import Needs, Term
from limbeck.networks.views import Goal, Kind, Step, weighted_mean

__all__ = ["GoldLabels", "TeacherLabels", "gold_labels", "teacher_labels"]


def gold_labels(
    student: Tensor, labels: Tensor, kind: Kind, weight: Tensor | None = None
) -> Tensor:
    """The loss of plain training: what people write by hand.

    Parameters
    ----------
    student : Tensor of shape (p, k)
        Logits, or values for regression.
    labels : Tensor of shape (p,) or (p, k)
        Classes; 0 and 1 for multi-label; values for regression.
    kind : Kind
        Cross entropy -log softmax(s)_y for classes and tokens; binary cross entropy for
        multi-label and squared error for regression, both the mean over rows and outputs.
    weight : Tensor of shape (p,), optional
        How much each row counts.

    Returns
    -------
    Tensor
        The (weighted) mean over rows, a scalar.
    """
    if not student.numel():
        return student.sum()
    how = "mean" if weight is None else "none"
    if kind is Kind.MULTILABEL:
        losses = F.binary_cross_entropy_with_logits(
            student, labels.to(student.dtype), reduction=how
        )
    elif kind is Kind.VALUES:
        losses = F.mse_loss(student, labels.to(student.dtype).reshape(student.shape), reduction=how)
    else:
        losses = F.cross_entropy(student, labels, reduction=how)
    if weight is None:
        return losses
    return weighted_mean(losses.mean(-1) if losses.ndim == 2 else losses, weight)


def teacher_labels(
    student: Tensor, teacher: Tensor, kind: Kind, weight: Tensor | None = None
) -> Tensor:
    """The loss of plain training on the teacher's answers.

    As `gold_labels`, with labels argmax(t), or t > 0 for multi-label. At student = teacher it is
    the mean of -log(the largest probability), its least value 0 where the teacher is certain.
    """
    answers = teacher > 0 if kind is Kind.MULTILABEL else teacher.argmax(-1)
    return gold_labels(student, answers, kind, weight)


@dataclass(frozen=True)
class GoldLabels(Term):
    """Level 0: the labels of the data, on all rows, whatever a filter says.

    Parameters
    ----------
    rest : bool
        Whether only the rows count that the filter leaves out (weight 0), so that each row has
        one source: "the teacher where it is right, labels on the rest". Where no teacher takes
        part (a control), all rows count.
    """

    level: ClassVar[int] = 0
    rest: bool = False

    @property
    def needs(self) -> Needs:
        """Labels."""
        return Needs(labels=True)

    def loss(self, step: Step, maps: nn.Module | None) -> Tensor:
        """The mean over all rows, or over the rest.

        Raises
        ------
        InvalidInput
            If the rest is asked for and there is no filter.
        """
        aligned = step.aligned
        assert aligned.labels is not None  # noqa: S101  (the door refuses data without labels)
        weight = None
        if self.rest and step.teacher is not None:
            if aligned.weight is None:
                raise InvalidInput(
                    "GoldLabels(rest=True) learns the rows that a filter leaves out, and there is"
                    " no filter.",
                    "Give a filter such as WhereRight(), or GoldLabels().",
                )
            weight = (aligned.weight == 0).to(aligned.student.dtype)
        return gold_labels(aligned.student, aligned.labels, step.goal.kind, weight)


@dataclass(frozen=True)
class TeacherLabels(Term):
    """Level 1: the teacher's answers as if they were labels."""

    level: ClassVar[int] = 1

    @property
    def needs(self) -> Needs:
        """A teacher."""
        return Needs(teacher=True)

    def check(self, goal: Goal) -> None:
        """Refuse regression: a number has no hard label."""
        if goal.kind is Kind.VALUES:
            raise InvalidInput(
                "TeacherLabels was asked for regression.", "Use Logits(): the teacher's values."
            )

    def loss(self, step: Step, maps: nn.Module | None) -> Tensor:
        """The weighted mean over rows."""
        a = step.aligned
        assert a.teacher is not None  # noqa: S101  (see needs)
        return teacher_labels(a.student, a.teacher, step.goal.kind, a.weight)
