"""Level 2: the teacher's probabilities in parts: DKD and DIST."""

from __future__ import annotations

import math
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
from limbeck.networks.losses.probabilities import check_probabilities, soft_targets
from limbeck.networks.losses.schedules import check_temperature, temperature_at

__all__ = ["DIST", "DKD", "decoupled", "inter_class", "intra_class"]


def decoupled(
    student: Tensor,
    teacher: Tensor,
    labels: Tensor,
    alpha: float = 1.0,
    beta: float = 8.0,
    temperature: float = 4.0,
    weight: Tensor | None = None,
) -> Tensor:
    """T^2 (alpha TCKD + beta NCKD), the mean over rows (Zhao et al. 2022, equation 7).

    TCKD is the KL between (p_y, 1 - p_y) of teacher and student, NCKD the KL between their
    probabilities of the other classes given that it is not y. With beta = 1 - p_y of the teacher,
    row by row, and alpha = 1 the sum is plain KL; a beta of its own keeps what the teacher says
    of other classes where it is certain of y.

    Parameters
    ----------
    student, teacher : Tensor of shape (p, k)
        Logits.
    labels : Tensor of int of shape (p,)
        The target classes y.
    alpha, beta : float
        Weights of the two parts.
    temperature : float
        T > 0.
    weight : Tensor of shape (p,), optional
        How much each row counts.

    Returns
    -------
    Tensor
        The (weighted) mean over rows, a scalar; 0 where student equals teacher.
    """
    s_target, s_others = _split(student / temperature, labels)
    t_target, t_others = _split(teacher / temperature, labels)
    certain = (t_others == -math.inf).all(1, keepdim=True)  # says nothing of the other classes
    s_others, t_others = (x.masked_fill(certain, 0.0) for x in (s_others, t_others))
    parts = alpha * soft_targets(s_target, t_target, 1.0, weight)
    parts = parts + beta * soft_targets(s_others, t_others, 1.0, weight)
    return parts * temperature * temperature


def inter_class(
    student: Tensor, teacher: Tensor, temperature: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """T^2 times the mean over rows of 1 - r, the correlation of probabilities within a row.

    Huang et al. 2022, equation 8; r is Pearson's. Parameters as in `intra_class`.

    Parameters
    ----------
    student, teacher : Tensor of shape (p, k)
        Logits.
    temperature : float
        T.
    weight : Tensor of shape (p,), optional
        How much each row counts.
    """
    s, t = F.softmax(student / temperature, -1), F.softmax(teacher / temperature, -1)
    s, t = s - s.mean(-1, keepdim=True), t - t.mean(-1, keepdim=True)
    rows = 1 - F.cosine_similarity(s, t, dim=-1)  # (p,)
    return weighted_mean(rows, weight) * temperature * temperature


def intra_class(
    student: Tensor, teacher: Tensor, temperature: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """T^2 times the mean over classes of 1 - r, the correlation of a class's column in the batch.

    Huang et al. 2022, equation 9; r is Pearson's, weighted where there are weights.

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
        A scalar; 0 where student equals teacher, and where fewer than two rows count.
    """
    s, t = F.softmax(student / temperature, -1), F.softmax(teacher / temperature, -1)
    w = torch.ones_like(s[:, 0]) if weight is None else weight
    share = (w / w.sum().clamp_min(torch.finfo(w.dtype).tiny))[:, None]  # (p, 1), sums to 1
    s, t = s - (share * s).sum(0), t - (share * t).sum(0)
    root = share.sqrt()
    columns = 1 - F.cosine_similarity(root * s, root * t, dim=0)  # (k,)
    several = (w > 0).sum() > 1  # one row has no correlation
    return torch.where(several, columns.mean(), 0.0) * temperature * temperature


@LOSSES.register("DKD")
@dataclass(frozen=True)
class DKD(Loss):
    """Level 2: decoupled distillation: target class and other classes, each with its weight.

    Parameters
    ----------
    alpha, beta : float
        Weights of the target's part and of the others' (1 and 8 for most pairs of the paper).
    temperature : float or Schedule
        T > 0.

    Raises
    ------
    InvalidInput
        If the temperature is not positive or a weight is negative.

    Examples
    --------
    >>> from limbeck.networks import DKD
    >>> DKD(beta=2.0).alpha
    1.0
    """

    level: ClassVar[int] = 2
    alpha: float = 1.0
    beta: float = 8.0
    temperature: float | Schedule = 4.0

    def __post_init__(self) -> None:
        _check_weights(alpha=self.alpha, beta=self.beta)
        check_temperature(self.temperature)

    @property
    def needs(self) -> Needs:
        """A teacher, and labels to say which class is the target (the teacher's without one)."""
        return Needs(labels=True, teacher=True)

    def check(self, task: Task) -> None:
        """Refuse a task without one target class."""
        _check_without_classes(self, task)

    def loss(self, step: Step, maps: nn.Module | None) -> Tensor:
        """The weighted mean over rows."""
        a = step.aligned
        assert a.teacher is not None  # noqa: S101  (see needs)
        labels = a.labels if step.task.sequential else step.classes
        assert labels is not None  # noqa: S101
        if step.labelled is not None:
            labels = torch.where(step.labelled, labels, a.teacher.argmax(-1))
        temperature = temperature_at(self.temperature, step.done)
        return decoupled(a.student, a.teacher, labels, self.alpha, self.beta, temperature, a.weight)


@LOSSES.register("DIST")
@dataclass(frozen=True)
class DIST(Loss):
    """Level 2: probabilities shall correlate with the teacher's, and need not be equal.

    For a teacher much stronger than the student.

    Parameters
    ----------
    inter : float
        Weight of the correlation within each row, over classes.
    intra : float
        Weight of the correlation within each class, over the rows of the batch.
    temperature : float or Schedule
        T > 0.

    Raises
    ------
    InvalidInput
        If the temperature is not positive or a weight is negative.

    Examples
    --------
    >>> from limbeck.networks import DIST, GoldLabels
    >>> (DIST() + GoldLabels()).names
    ('DIST', 'GoldLabels')
    """

    level: ClassVar[int] = 2
    inter: float = 1.0
    intra: float = 1.0
    temperature: float | Schedule = 1.0

    def __post_init__(self) -> None:
        _check_weights(inter=self.inter, intra=self.intra)
        check_temperature(self.temperature)

    @property
    def needs(self) -> Needs:
        """A teacher."""
        return Needs(teacher=True)

    @property
    def between_rows(self) -> str:
        """Correlations within a class are over rows."""
        return "correlates the probabilities of a class over the rows of a batch" * bool(self.intra)

    def check(self, task: Task) -> None:
        """Refuse a task without classes, and correlations over two."""
        _check_without_classes(self, task)
        if task.outputs < 3 and self.inter:
            raise InvalidInput(
                "DIST was asked to correlate the probabilities of two classes: over two numbers"
                " a correlation is 1 or -1.",
                "Give inter=0, or use SoftTargets().",
            )

    def loss(self, step: Step, maps: nn.Module | None) -> Tensor:
        """The two parts, weighted."""
        a = step.aligned
        assert a.teacher is not None  # noqa: S101  (see needs)
        temperature = temperature_at(self.temperature, step.done)
        parts = []
        if self.inter:
            parts.append(self.inter * inter_class(a.student, a.teacher, temperature, a.weight))
        if self.intra:
            parts.append(self.intra * intra_class(a.student, a.teacher, temperature, a.weight))
        return torch.stack(parts).sum()


def _split(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Logits of "y or not y" (p, 2), and of the classes other than y (p, k - 1)."""
    y = labels[:, None]  # (p, 1)
    others = torch.arange(logits.shape[1] - 1, device=logits.device)  # (k - 1,)
    rest = logits.gather(1, others + (others >= y))
    return torch.cat((logits.gather(1, y), rest.logsumexp(1, keepdim=True)), 1), rest


def _check_without_classes(term: Loss, task: Task) -> None:
    check_probabilities(term, task)
    if task.kind is TaskKind.MULTILABEL:
        raise InvalidInput(
            f"{term.name} was asked of multi-label outputs, where several labels can be true.",
            "Use SoftTargets(), which compares each label's probability.",
        )


def _check_weights(**weights: float) -> None:
    for name, weight in weights.items():
        if not (math.isfinite(weight) and weight >= 0):
            raise InvalidInput(f"{name} is {weight}.", "Give 0 or more.")
    if not any(weights.values()):
        raise InvalidInput(f"{' and '.join(weights)} are 0.", "Give one of them more.")
