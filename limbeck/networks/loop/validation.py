"""One number an epoch for early stopping: how well a student does on rows set aside."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from limbeck.errors import InvalidInput
from limbeck.networks.capture import modes_kept
from limbeck.networks.loop.engine import Engine
from limbeck.networks.network import Network, watched
from limbeck.networks.samples.data import Batch, Samples
from limbeck.networks.views import Goal, Kind, Step, View

__all__ = ["Validation"]


class Validation:
    """The score of a student on validation rows; larger is better.

    Against the labels: the share of right answers for classes, tokens and labels; for language
    minus the cross entropy; for numbers minus the squared error. Without labels the same against
    the teacher's answers, where a language model's are its likeliest tokens.

    Parameters
    ----------
    samples : Samples
        Rows that are not trained on.
    goal : Goal
        What is predicted.
    batch_size : int
        Rows of one call.
    engine : Engine
        Where it runs; processes share the rows.
    teacher : Network or None
        Needed where there are no labels.

    Raises
    ------
    InvalidInput
        If there are neither labels nor a teacher that can be asked.
    """

    def __init__(
        self,
        samples: Samples,
        goal: Goal,
        batch_size: int,
        engine: Engine,
        teacher: Network | None,
    ) -> None:
        if not samples.has_labels and teacher is None:
            raise InvalidInput(
                "The validation rows have no labels, and there is no teacher to ask.",
                "Give their labels, or the teacher itself instead of stored outputs.",
            )
        self._samples, self._goal, self._engine = samples, goal, engine
        self._batch = batch_size
        self._teacher = None if samples.has_labels else teacher
        shared = engine.processes > 1 and not engine.sharded
        every = range(len(samples))
        self._rows = every[engine.rank :: engine.processes] if shared else every
        self._answers: list[Tensor] = []

    def __call__(self, student: nn.Module) -> float:
        """The student's score; its modes are restored."""
        sums = torch.zeros(2, dtype=torch.float64, device=self._engine.device)
        with (
            modes_kept(student),
            torch.no_grad(),
            watched(student.eval(), (), "The student", context=self._engine.autocast) as network,
        ):
            batches = self._samples.batches(
                self._rows, self._batch, seed=0, view=0, device=self._engine.device
            )
            for i, batch in enumerate(batches):
                view = network(batch.inputs)
                labels = batch.labels if self._teacher is None else self._answer(i, batch)
                step = Step(batch.inputs, labels, view, None, self._goal)
                found = step.aligned.labels if self._goal.sequential else step.classes
                assert found is not None  # noqa: S101  (checked when made)
                known = batch.labelled if self._teacher is None else None
                scores = self._scores(step.aligned.student, found, known)  # (p,)
                sums += torch.stack([scores.sum(dtype=torch.float64), sums.new_tensor(len(scores))])
        total, places = self._engine.mean(sums).tolist()
        return float(total / places) if places else 0.0

    def _scores(self, logits: Tensor, labels: Tensor, known: Tensor | None) -> Tensor:
        """One score a place that has a label, (p,)."""
        kind = self._goal.kind
        if kind is Kind.LANGUAGE and self._teacher is None:
            return -F.cross_entropy(logits, labels, reduction="none")
        if self._goal.classifies:
            same = (logits.argmax(-1) == labels).float()
            return same if known is None else same[known]
        labels = labels.reshape(logits.shape)
        if kind is Kind.MULTILABEL:
            same = ((logits > 0) == (labels > 0.5)).float()
            if known is None:
                return same.mean(-1)
            counts = known.sum(-1)
            return ((same * known).sum(-1) / counts.clamp(min=1))[counts > 0]
        return -((logits - labels) ** 2).flatten(1).mean(-1)

    def _answer(self, i: int, batch: Batch) -> Tensor:
        """What the teacher says of a batch; asked once."""
        if i == len(self._answers):
            assert self._teacher is not None  # noqa: S101  (the caller checks)
            self._answers.append(self._hard(self._teacher(batch.inputs)))
        return self._answers[i]

    def _hard(self, view: View) -> Tensor:
        if self._goal.kind is Kind.LANGUAGE:  # moved, so that a place's label is its next token
            return F.pad(view.logits.argmax(-1), (1, 0))[:, :-1]
        if self._goal.classifies:
            return view.logits.argmax(-1)
        return (view.logits > 0).float() if self._goal.kind is Kind.MULTILABEL else view.logits
