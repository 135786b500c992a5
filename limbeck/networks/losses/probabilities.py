"""Level 2: the teacher's probabilities, softened by a temperature."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limbeck.core.errors import InvalidInput
from limbeck.core.registry import LOSSES
from limbeck.core.task import Task, TaskKind
from limbeck.modules.batch import Step, weighted_mean
from limbeck.networks.losses.loss import Loss, Needs, Schedule
from limbeck.networks.losses.schedules import check_temperature, temperature_at

__all__ = [
    "JensenShannon",
    "ReverseKL",
    "SoftTargets",
    "check_probabilities",
    "jensen_shannon",
    "reverse_kl",
    "soft_targets",
    "standardised",
]


def soft_targets(
    student: Tensor, teacher: Tensor, temperature: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """T^2 KL(softmax(t / T) || softmax(s / T)), the mean over rows (Hinton et al. 2015, section 2).

    The sum over classes is never divided by their number. T^2 keeps the size of the gradient
    where T changes. A class of probability 0 (a logit of -inf) counts 0 log 0 = 0, here and in the
    other divergences; one that only the student rules out makes the divergence infinite.

    Parameters
    ----------
    student, teacher : Tensor of shape (p, k)
        Logits.
    temperature : float
        T > 0.
    weight : Tensor of shape (p,), optional
        How much each row counts.

    Returns
    -------
    Tensor
        The (weighted) mean over rows, a scalar; 0 where student equals teacher.
    """
    log_s = F.log_softmax(student / temperature, -1)
    t = F.softmax(teacher / temperature, -1)
    if weight is None and len(log_s) and log_s.is_cpu:  # looking at a number costs nothing there
        mean = F.kl_div(log_s, t, reduction="batchmean")
        if math.isfinite(mean.item()):  # so no 0 log 0 was among the terms
            return mean * temperature**2
    found = F.kl_div(log_s, t, reduction="none")  # (p, k)
    return _mean_over_rows(found.masked_fill_(t == 0, 0.0), temperature, weight)


def reverse_kl(
    student: Tensor, teacher: Tensor, temperature: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """T^2 KL(softmax(s / T) || softmax(t / T)): the student seeks the teacher's modes.

    After MiniLLM (Gu et al. 2024, equation 1), which takes it between whole sequences that the
    student draws (on-policy); here it is between the classes of a row or token of the data that
    are given. Parameters as in `soft_targets`. Infinite where the student gives a probability to
    a class that the teacher rules out.

    Parameters
    ----------
    student, teacher : Tensor of shape (p, k)
        Logits.
    temperature : float
        T.
    weight : Tensor of shape (p,), optional
        How much each row counts.
    """
    log_s = F.log_softmax(student / temperature, -1)
    log_t = F.log_softmax(teacher / temperature, -1)
    return _mean_over_rows(_relative(log_s, log_t), temperature, weight)


def jensen_shannon(
    student: Tensor, teacher: Tensor, temperature: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """T^2 (KL(q || m) + KL(p || m)) / 2 with m = (p + q) / 2: symmetric, at most T^2 ln 2.

    Lin 1991, equation 4.1, with equal weights. Parameters as in `soft_targets`.

    Parameters
    ----------
    student, teacher : Tensor of shape (p, k)
        Logits.
    temperature : float
        T.
    weight : Tensor of shape (p,), optional
        How much each row counts.
    """
    log_s = F.log_softmax(student / temperature, -1)
    log_t = F.log_softmax(teacher / temperature, -1)
    neither = (log_s == -math.inf) & (log_t == -math.inf)  # there the gradient would be NaN
    both = (log.masked_fill(neither, 0.0) for log in (log_s, log_t))
    log_m = torch.logaddexp(*both) - math.log(2)
    of_teacher = _mean_over_rows(_relative(log_t, log_m), temperature, weight)
    of_student = _mean_over_rows(_relative(log_s, log_m), temperature, weight)
    return (of_teacher + of_student) / 2


def standardised(logits: Tensor) -> Tensor:
    """(z - mean(z)) / std(z) within each row, so that only the shape of the logits is learned.

    Sun et al. 2024, algorithm 1: the standard deviation divides by k (their public code by
    k - 1). Classes with a logit of -inf stay so, and count in neither mean nor standard
    deviation.
    """
    absent = logits == -math.inf
    there = logits.masked_fill(absent, 0.0)
    k = (~absent).sum(-1, keepdim=True)
    centred = (there - there.sum(-1, keepdim=True) / k).masked_fill(absent, 0.0)
    variance = centred.square().sum(-1, keepdim=True) / k
    deviation = variance.clamp_min(torch.finfo(logits.dtype).tiny).sqrt()
    return (centred / (deviation + 1e-7)).masked_fill(absent, -math.inf)


def check_probabilities(term: Loss, task: Task) -> None:
    """Refuse regression, and a single class, whose probability is always 1.

    Parameters
    ----------
    term : Loss
        The loss that compares probabilities.
    task : Task
        What is predicted.

    Raises
    ------
    InvalidInput
        With the terms that have a meaning there.
    """
    if task.kind is TaskKind.REGRESSION:
        raise InvalidInput(
            f"{term.name} compares probabilities, and regression has none: a temperature means"
            " nothing for numbers.",
            "Use Logits(), which compares the values.",
        )
    if task.classifies and task.outputs < 2:
        raise InvalidInput(
            f"{term.name} was asked of one class, whose probability is always 1.",
            'Give networks one output per class, or say task="multilabel".',
        )


@dataclass(frozen=True)
class _Softened(Loss):
    """A divergence between softened probabilities; a subclass says which."""

    level: ClassVar[int] = 2
    temperature: float | Schedule = 1.0
    standardise: bool = False

    def __post_init__(self) -> None:
        check_temperature(self.temperature)

    @property
    def needs(self) -> Needs:
        """A teacher."""
        return Needs(teacher=True)

    def check(self, task: Task) -> None:
        """Refuse regression, and standardising where it would leave nothing but signs."""
        check_probabilities(self, task)
        if self.standardise and (task.kind is TaskKind.MULTILABEL or task.outputs < 3):
            raise InvalidInput(
                f"{self.name}(standardise=True) was asked of {task.kind.value} with"
                f" {task.outputs} outputs: standardised over fewer than three classes, logits"
                " keep nothing but their sign, and labels of their own have no common scale.",
                "Leave standardise at False.",
            )

    def loss(self, step: Step, maps: nn.Module | None) -> Tensor:
        """The weighted mean over rows; over rows and labels for multi-label."""
        a = step.aligned
        assert a.teacher is not None  # noqa: S101  (see needs)
        student, teacher, weight = a.student, a.teacher, a.weight
        if (
            step.task.kind is TaskKind.MULTILABEL
        ):  # each label is a choice of two: sigmoid(z) or not
            weight = None if weight is None else weight.repeat_interleave(student.shape[-1])
            student, teacher = _yes_no(student), _yes_no(teacher)  # (n k, 2)
        if self.standardise:
            student, teacher = standardised(student), standardised(teacher)
        temperature = temperature_at(self.temperature, step.done)
        return self.divergence(student, teacher, temperature, weight)

    @staticmethod
    @abstractmethod
    def divergence(
        student: Tensor, teacher: Tensor, temperature: float, weight: Tensor | None
    ) -> Tensor:
        """The pure function."""


@LOSSES.register("SoftTargets")
@dataclass(frozen=True)
class SoftTargets(_Softened):
    """Level 2: KL from the teacher's softened probabilities to the student's, times T^2.

    Parameters
    ----------
    temperature : float or Schedule
        T > 0: the higher, the more the small probabilities count.
    standardise : bool
        Whether logits are standardised within each row first (Sun et al. 2024).

    Raises
    ------
    InvalidInput
        If the temperature is not positive.

    Notes
    -----
    For multi-label every label is a Bernoulli distribution of its own, and the loss is the mean
    over rows and labels, as that of binary cross entropy.

    Examples
    --------
    >>> from limbeck.networks import LinearSchedule, SoftTargets
    >>> SoftTargets(temperature=4).level
    2
    >>> SoftTargets(temperature=LinearSchedule(4, 1)).temperature(0.5)
    2.5
    """

    divergence = staticmethod(soft_targets)


@LOSSES.register("ReverseKL")
@dataclass(frozen=True)
class ReverseKL(_Softened):
    """Level 2: KL from the student's probabilities to the teacher's, times T^2.

    Parameters as in `SoftTargets`. Better than it where the student is too small to cover all
    that the teacher finds possible, as in language modelling.

    Examples
    --------
    >>> from limbeck.networks import ReverseKL
    >>> ReverseKL(temperature=2).temperature
    2
    """

    divergence = staticmethod(reverse_kl)


@LOSSES.register("JensenShannon")
@dataclass(frozen=True)
class JensenShannon(_Softened):
    """Level 2: the Jensen-Shannon divergence, times T^2: symmetric and bounded.

    Parameters as in `SoftTargets`. Less moved by rows on which the teacher is certain and wrong.

    Examples
    --------
    >>> from limbeck.networks import JensenShannon
    >>> JensenShannon(temperature=2).level
    2
    """

    divergence = staticmethod(jensen_shannon)


def _yes_no(logits: Tensor) -> Tensor:
    """Logits of the two outcomes of each label, of shape (n k, 2)."""
    return torch.stack((logits, torch.zeros_like(logits)), -1).flatten(0, -2)


def _relative(log_p: Tensor, log_q: Tensor) -> Tensor:
    """P (log p - log q), of shape (p, k); 0 where p is 0."""
    absent = log_p == -math.inf
    return log_p.exp() * (log_p.masked_fill(absent, 0.0) - log_q.masked_fill(absent, 0.0))


def _mean_over_rows(found: Tensor, temperature: float, weight: Tensor | None) -> Tensor:
    """T^2 times the sum over classes of (p, k), the mean over rows."""
    if weight is None and len(found):
        mean = found.sum() / len(found)
    else:
        mean = weighted_mean(found.sum(-1), weight)
    return mean * temperature**2
