"""What an objective sees of one batch: what both networks computed, labels, and what counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from limbeck.core.task import Task, TaskKind

__all__ = [
    "IGNORED",
    "MASK",
    "Aligned",
    "HeadWeights",
    "Over",
    "Run",
    "Step",
    "View",
    "counted",
    "mask_of",
    "weighted_mean",
]

IGNORED = -100
"""The label of a row without one, and of a token that does not count (as in torch)."""

MASK = "attention_mask"
"""The name of the input that says which tokens are there (the convention of transformers)."""


class Over(StrEnum):
    """What a loss is the mean over, so that the parts of an update add up to the whole."""

    OUTPUTS = "outputs that count"
    WEIGHTS = "weights of outputs that count"
    LABELS = "outputs that have a label"
    REST = "outputs that have a label and that the filter leaves out"
    ROWS = "rows"
    ROW_WEIGHTS = "weights of rows"
    TOKENS = "tokens that are there"
    TOKEN_WEIGHTS = "weights of tokens that are there"  # noqa: S105
    ENTRY_WEIGHTS = "weights of pairs of tokens"


class HeadWeights(NamedTuple):
    """The weights of a last linear layer, (outputs, width), and its bias, if it has one."""

    weight: Tensor
    bias: Tensor | None


@dataclass(frozen=True, eq=False)
class View:
    """What one network computed on one batch, in float32 or finer.

    Parameters
    ----------
    logits : Tensor of shape (n, k) or (n, t, k)
        Its outputs; numbers for regression.
    layers : mapping
        Outputs of the layers that were asked for, by name.
    head : HeadWeights, optional
        The last linear layer, where it was left out: ``logits`` are then what it would have been
        given, of shape (n, t, width), as they come. Only for losses that say so, see `Needs`.
    """

    logits: Tensor
    layers: Mapping[str, Tensor] = field(default_factory=dict)
    head: HeadWeights | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of its outputs, whether they are there or not."""
        own = tuple(self.logits.shape)
        return own if self.head is None else (*own[:-1], len(self.head.weight))


Run = Callable[[Any, Mapping[str, Callable[[Tensor], Tensor]]], View]
"""Run a network on inputs, with edits of the outputs of named layers: ``run(inputs, edits)``."""


@dataclass(frozen=True, eq=False)
class Aligned:
    """Only the places that count: p rows, or tokens of all sequences one after another.

    Shapes: student and teacher (p, k), labels (p,) or (p, k), weight (p,). Whatever is absent
    is None; a weight of None means 1 everywhere.
    """

    student: Tensor
    teacher: Tensor | None
    labels: Tensor | None
    weight: Tensor | None


@dataclass(eq=False)
class Step:
    """One batch, as objectives see it.

    Parameters
    ----------
    inputs : Any
        What the networks are called with: a tensor, a tuple, or a mapping of tensors.
    labels : Tensor or None
        As in `limbeck.core.task.TaskKind`; ``IGNORED`` marks tokens that do not count, and rows
        (of classes) or entries (of multi-label) without a label.
    student : View
        With gradients.
    teacher : View or None
        Without gradients; None for a control.
    task : Task
        What the outputs mean.
    weight : Tensor of shape (n,) or (n, t), optional
        From a filter; None means 1.
    mask : Tensor of shape (n, t), optional
        Tokens that are there; by default the ``attention_mask`` of named inputs.
    done : float
        Share of the training that is over, in [0, 1], for schedules.
    index : Tensor of shape (n,), optional
        Places of the samples in the training set.
    generator : torch.Generator, optional
        For objectives that draw.
    run_student, run_teacher : Run, optional
        For objectives that run the networks again, with interventions.
    labelled : Tensor of bool of shape (n,) or (n, k), optional
        Which rows have a label, or for multi-label which entries; None means all.
    shares : mapping, optional
        Where this is a part of an update: what it holds of the whole, see `share`.
    """

    inputs: Any
    labels: Tensor | None
    student: View
    teacher: View | None
    task: Task
    weight: Tensor | None = None
    mask: Tensor | None = None
    done: float = 0.0
    index: Tensor | None = None
    generator: torch.Generator | None = None
    run_student: Run | None = None
    run_teacher: Run | None = None
    labelled: Tensor | None = None
    shares: Mapping[Over, float] | None = None

    def __post_init__(self) -> None:
        if self.mask is None:
            self.mask = mask_of(self.inputs)

    @property
    def classes(self) -> Tensor | None:
        """The labels as class indices: of distributions over classes the likeliest one."""
        labels = self.labels
        if labels is None or self.task.kind is not TaskKind.CLASSIFICATION or labels.ndim == 1:
            return labels
        return torch.where(labels[:, 0] < 0, IGNORED, labels.argmax(-1))

    @cached_property
    def aligned(self) -> Aligned:
        """Logits, labels and weights of the places that count."""
        teacher = None if self.teacher is None else self.teacher.logits
        if teacher is not None and teacher.shape[:-1] != self.student.logits.shape[:-1]:
            teacher = None  # only its layers are compared
        return self.align(self.student.logits, teacher)

    def align(self, student: Tensor, teacher: Tensor | None) -> Aligned:
        """The same for other logits than those of the step, of the same shapes.

        Parameters
        ----------
        student : Tensor of shape (n, k) or (n, t, k)
            Logits of the student.
        teacher : Tensor or None
            Logits of the teacher, of the same shape.
        """
        labels, weight = self.labels, self.weight
        if not self.task.sequential:
            return Aligned(student, teacher, labels, weight)
        counts = self.counts(student)
        if self.task.kind is TaskKind.LANGUAGE:  # the output at a place predicts the next token
            student, counts = student[:, :-1], counts[:, :-1]
            teacher = None if teacher is None else teacher[:, :-1]
            labels = None if labels is None else labels[:, 1:]
            weight = weight[:, 1:] if weight is not None and weight.ndim == 2 else weight
        if weight is not None and weight.ndim == 1:
            weight = weight[:, None].expand(counts.shape)
        return Aligned(
            student[counts],
            None if teacher is None else teacher[counts],
            None if labels is None else labels[counts],
            None if weight is None else weight[counts],
        )

    def share(self, over: Over) -> float:
        """What this part of an update holds of the whole; 1 where it is the whole.

        A mean over the part, times this, is its part of the mean over the whole update.
        """
        return 1.0 if self.shares is None else self.shares[over]

    def counts(self, logits: Tensor) -> Tensor:
        """Which outputs (n, t) of a sequence count, for logits (n, t, k); see `counted`."""
        return counted(logits, self.mask, self.labels, self.task)

    def mean(self, losses: Tensor, weight: Tensor | None = None) -> Tensor:
        """The weighted mean of losses; see `weighted_mean`.

        Parameters
        ----------
        losses : Tensor of shape (p,)
            Losses per row or token.
        weight : Tensor of shape (p,), optional
            How much each counts.
        """
        return weighted_mean(losses, weight)


def mask_of(inputs: Any) -> Tensor | None:
    """The attention mask (n, t), where inputs have names and one is among them."""
    return inputs.get(MASK) if isinstance(inputs, Mapping) else None


def counted(like: Tensor, mask: Tensor | None, labels: Tensor | None, task: Task) -> Tensor:
    """Which outputs (n, t) of sequences count, for anything of shape (n, t, ...).

    Those of tokens that are there and have a label; of language those before such a token, and
    after none that is hidden: what stands on padding to the left predicts nothing.

    Parameters
    ----------
    like : Tensor of shape (n, t, ...)
        Gives the shape and the device.
    mask : Tensor of shape (n, t), or None
        1 for tokens, 0 for padding.
    labels : Tensor of shape (n, t), or None
        Labels per token; -100 for none.
    task : Task
        What is predicted.
    """
    counts = torch.ones(like.shape[:2], dtype=torch.bool, device=like.device)
    if mask is not None:
        counts &= mask.bool()
    here = counts
    if labels is not None:
        counts = counts & (labels != IGNORED)
    if task.kind is TaskKind.LANGUAGE:
        counts = F.pad(counts[:, 1:] & here[:, :-1], (0, 1))
    return counts


def weighted_mean(losses: Tensor, weight: Tensor | None = None) -> Tensor:
    """The weighted mean of losses (p,); 0, with a gradient, where nothing counts.

    Parameters
    ----------
    losses : Tensor of shape (p,)
        Losses per row or token.
    weight : Tensor of shape (p,), optional
        How much each counts.
    """
    if weight is None:
        return losses.mean() if losses.numel() else losses.sum()
    total = weight.sum()
    return (losses * weight).sum() / (total + (total == 0))
