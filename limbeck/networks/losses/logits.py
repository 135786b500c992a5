"""Level 3: the teacher's final states: logits, or the values of a regression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limbeck.core.errors import InvalidInput
from limbeck.core.registry import LOSSES
from limbeck.core.task import Task
from limbeck.modules.batch import Step, weighted_mean
from limbeck.networks.losses.loss import Loss, Needs

__all__ = ["Logits", "LogitsCosine", "cosine_distance", "squared_error"]


def squared_error(student: Tensor, teacher: Tensor, weight: Tensor | None = None) -> Tensor:
    """The mean of (s - t)^2 over rows and outputs (Ba and Caruana 2014, equation 1, times 2/k).

    Parameters
    ----------
    student, teacher : Tensor of shape (p, ...)
        Logits, values or hidden states.
    weight : Tensor of shape (p,), optional
        How much each row counts.

    Returns
    -------
    Tensor
        The (weighted) mean, a scalar; 0 where student equals teacher.
    """
    if weight is None and student.numel():
        return F.mse_loss(student, teacher)
    return weighted_mean(F.mse_loss(student, teacher, reduction="none").flatten(1).mean(1), weight)


def cosine_distance(student: Tensor, teacher: Tensor, weight: Tensor | None = None) -> Tensor:
    """The mean over rows of 1 - cos(s, t), between 0 and 2 (Sanh et al. 2019, section 2).

    Parameters
    ----------
    student, teacher : Tensor of shape (p, k)
        Logits or hidden states.
    weight : Tensor of shape (p,), optional
        How much each row counts.

    Returns
    -------
    Tensor
        The (weighted) mean, a scalar; 0 where one is a positive multiple of the other.
    """
    same = torch.ones(len(student), device=student.device)
    if weight is None and student.numel():
        return F.cosine_embedding_loss(student, teacher, same)
    return weighted_mean(F.cosine_embedding_loss(student, teacher, same, reduction="none"), weight)


@LOSSES.register("Logits")
@dataclass(frozen=True)
class Logits(Loss):
    """Level 3: squared error between logits, or between values for regression.

    The mean over rows and outputs, as of ``F.mse_loss``. Unlike probabilities, logits differ by
    a constant that changes no answer; it is learned too.

    Examples
    --------
    >>> from limbeck.networks import GoldLabels, Logits
    >>> (Logits() + 0.5 * GoldLabels()).names
    ('Logits', 'GoldLabels')
    """

    level: ClassVar[int] = 3

    @property
    def needs(self) -> Needs:
        """A teacher."""
        return Needs(teacher=True)

    def loss(self, step: Step, maps: nn.Module | None) -> Tensor:
        """The weighted mean over rows and outputs."""
        a = step.aligned
        assert a.teacher is not None  # noqa: S101  (see needs)
        return squared_error(a.student, a.teacher, a.weight)


@LOSSES.register("LogitsCosine")
@dataclass(frozen=True)
class LogitsCosine(Loss):
    """Level 3: one minus the cosine between the logits of student and teacher.

    Blind to the length of the logits, so confidence must come from another term.

    Examples
    --------
    >>> from limbeck.networks import GoldLabels, LogitsCosine
    >>> (LogitsCosine() + GoldLabels()).names
    ('LogitsCosine', 'GoldLabels')
    """

    level: ClassVar[int] = 3

    @property
    def needs(self) -> Needs:
        """A teacher."""
        return Needs(teacher=True)

    def check(self, task: Task) -> None:
        """Refuse a single output, of which a cosine keeps the sign only."""
        if task.outputs < 2:
            raise InvalidInput(
                "LogitsCosine was asked of one output, of which a cosine keeps nothing but the"
                " sign.",
                "Use Logits().",
            )

    def loss(self, step: Step, maps: nn.Module | None) -> Tensor:
        """The weighted mean over rows."""
        a = step.aligned
        assert a.teacher is not None  # noqa: S101  (see needs)
        return cosine_distance(a.student, a.teacher, a.weight)
