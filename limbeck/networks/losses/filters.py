"""Filters: how much each row counts where the student learns from the teacher."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task, TaskKind
from limbeck.modules.batch import Step
from limbeck.networks.losses.loss import Needs

__all__ = ["Filter", "RowWeights", "TeacherConfident", "TeacherCorrect"]


class Filter(ABC):
    """A weight for each row, or token, that terms on the teacher use. Filters combine by ``&``.

    ``filter(step)`` is a Tensor of shape (n,), or (n, t) for answers by token, of 0 or more. Of
    language models the weight at a place is that of predicting the token there, as of a label.
    """

    @property
    @abstractmethod
    def needs(self) -> Needs:
        """What it reads."""

    @abstractmethod
    def describe(self) -> str:
        """What passes, in words, after "rows"."""

    def check(self, task: Task, samples: int) -> None:  # noqa: B027
        """Refuse a task, or a number of samples, that the filter has no meaning for.

        Parameters
        ----------
        task : Task
            What is predicted.
        samples : int
            Number of training samples.

        Raises
        ------
        InvalidInput
            For example for the right answers of a regression.
        """

    def chosen(self, places: Tensor) -> Filter:
        """The same filter for some of the samples, at new places.

        Parameters
        ----------
        places : Tensor of shape (m,), int64
            Where they were.
        """
        return self

    @abstractmethod
    def __call__(self, step: Step) -> Tensor:
        """The weights."""

    def __and__(self, other: object) -> Filter:
        """Both: the product of the weights."""
        return _Both(self, other) if isinstance(other, Filter) else NotImplemented

    def nothing_passed(self) -> InvalidInput:
        """The error of a filter that let no row pass in a whole epoch."""
        return InvalidInput(
            f"The filter lets no row pass: there are no rows {self.describe()}.",
            "Loosen the filter, or leave it out.",
        )


@dataclass(frozen=True)
class TeacherCorrect(Filter):
    """Rows, or tokens, on which the teacher's answer is the label (multi-label: all labels).

    Rows without a label pass: nothing speaks against the teacher there.

    Examples
    --------
    >>> from limbeck.networks import TeacherCorrect
    >>> TeacherCorrect().needs.labels
    True
    """

    @property
    def needs(self) -> Needs:
        """Labels and a teacher."""
        return Needs(labels=True, teacher=True)

    def describe(self) -> str:
        """What passes, in words."""
        return "where the teacher is right"

    def check(self, task: Task, samples: int) -> None:
        """Refuse regression, where no answer is right exactly."""
        if task.kind is TaskKind.REGRESSION:
            raise InvalidInput(
                "TeacherCorrect was asked of regression, where no answer is right exactly.",
                "Use RowWeights with weights from the teacher's errors.",
            )

    def __call__(self, step: Step) -> Tensor:
        """1 where right, else 0."""
        logits, labels, known = _teacher(step), step.classes, step.labelled
        assert labels is not None  # noqa: S101  (see needs)
        if step.task.kind is TaskKind.MULTILABEL:
            same = (logits > 0) == (labels > 0.5)
            return (same if known is None else same | ~known).all(-1).to(logits.dtype)
        if step.task.kind is TaskKind.LANGUAGE:
            right = logits[:, :-1].argmax(-1) == labels[:, 1:]
            return _at_predicted(right.to(logits.dtype))
        same = logits.argmax(-1) == labels
        return (same if known is None else same | ~known).to(logits.dtype)


@dataclass(frozen=True)
class TeacherConfident(Filter):
    """Rows, or tokens, on which the teacher is sure.

    Parameters
    ----------
    threshold : float
        The least probability of its answer, in (0, 1]; for multi-label, of each of its answers.

    Raises
    ------
    InvalidInput
        If the threshold is no such probability.

    Examples
    --------
    >>> from limbeck.networks import TeacherConfident
    >>> TeacherConfident(0.9).threshold
    0.9
    """

    threshold: float

    def __post_init__(self) -> None:
        if not 0 < self.threshold <= 1:
            raise InvalidInput(
                f"The threshold is {self.threshold}.", "Give a probability above 0, at most 1."
            )

    @property
    def needs(self) -> Needs:
        """A teacher."""
        return Needs(teacher=True, same_outputs=False)

    def describe(self) -> str:
        """What passes, in words."""
        return f"where the teacher's probability of its answer is at least {self.threshold:g}"

    def check(self, task: Task, samples: int) -> None:
        """Refuse regression, which has no probabilities."""
        if task.kind is TaskKind.REGRESSION:
            raise InvalidInput(
                "TeacherConfident was asked of regression, which has no probabilities.",
                "Use RowWeights with weights of your own.",
            )

    def __call__(self, step: Step) -> Tensor:
        """1 where sure, else 0."""
        logits = _teacher(step)
        if step.task.kind is TaskKind.MULTILABEL:
            sure = torch.sigmoid(logits.abs()).amin(-1) >= self.threshold
        else:
            sure = F.softmax(logits, -1).amax(-1) >= self.threshold
        if step.task.kind is TaskKind.LANGUAGE:
            return _at_predicted(sure[:, :-1].to(logits.dtype))
        return sure.to(logits.dtype)


@dataclass(frozen=True, eq=False, repr=False)
class RowWeights(Filter):
    """Any weight for each sample, by its place in the training set.

    Parameters
    ----------
    weights : array-like of shape (n,)
        0 or more, finite, not all 0; one for each row that is given, also where test or validation
        rows are set aside from these.

    Raises
    ------
    InvalidInput
        If they are not.

    Examples
    --------
    >>> from limbeck.networks import RowWeights
    >>> RowWeights([1.0, 0.0, 2.0]).weights
    tensor([1., 0., 2.])
    """

    weights: Any
    _on: dict[torch.device, Tensor] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        weights = torch.tensor(np.asarray(self.weights, dtype=np.float32))
        if weights.ndim != 1:
            raise InvalidInput(
                f"The weights have the shape {tuple(weights.shape)}.", "Give one per sample."
            )
        if not (torch.isfinite(weights).all() and (weights >= 0).all() and weights.any()):
            raise InvalidInput(
                "The weights are not all finite and 0 or more, or all are 0.", "Correct them."
            )
        object.__setattr__(self, "weights", weights)

    def __repr__(self) -> str:
        """The weights as a fingerprint: runs with other weights differ in their settings."""
        told = hashlib.sha256(self.weights.numpy().tobytes()).hexdigest()[:16]
        return f"RowWeights({len(self.weights)} weights, sha256 {told})"

    @property
    def needs(self) -> Needs:
        """Nothing of the networks."""
        return Needs()

    def describe(self) -> str:
        """What passes, in words."""
        return f"of a weight above 0 ({int((self.weights > 0).sum()):,} of {len(self.weights):,})"

    def check(self, task: Task, samples: int) -> None:
        """Refuse weights of another number than samples."""
        if samples != len(self.weights):
            raise InvalidInput(
                f"There are {len(self.weights):,} weights and {samples:,} samples.",
                "Give one weight per sample, in the order of the data set.",
            )

    def chosen(self, places: Tensor) -> RowWeights:
        """The weights of some samples."""
        return RowWeights(self.weights[places])

    def __call__(self, step: Step) -> Tensor:
        """The weights of the batch's samples."""
        assert step.index is not None  # noqa: S101  (the loop gives it)
        device = (step.student if step.teacher is None else step.teacher).logits.device
        if device not in self._on:  # moved once, not in every step
            self._on[device] = self.weights.to(device)
        return self._on[device][step.index.to(device)]


@dataclass(frozen=True)
class _Both(Filter):
    a: Filter
    b: Filter

    @property
    def needs(self) -> Needs:
        return self.a.needs | self.b.needs

    def describe(self) -> str:
        return f"{self.a.describe()} and {self.b.describe()}"

    def check(self, task: Task, samples: int) -> None:
        self.a.check(task, samples)
        self.b.check(task, samples)

    def chosen(self, places: Tensor) -> Filter:
        return _Both(self.a.chosen(places), self.b.chosen(places))

    def __call__(self, step: Step) -> Tensor:
        a, b = self.a(step), self.b(step)
        if a.ndim < b.ndim:  # a weight per row, and one per token
            a = a[:, None]
        return a * (b[:, None] if b.ndim < a.ndim else b)


def _teacher(step: Step) -> Tensor:
    assert step.teacher is not None  # noqa: S101  (see needs)
    return step.teacher.logits


def _at_predicted(weights: Tensor) -> Tensor:
    """From the place that predicts to the place of the predicted token; 0 at the first."""
    return F.pad(weights, (1, 0))
