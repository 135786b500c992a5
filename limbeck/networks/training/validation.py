"""How well a student does after each epoch on rows set aside: what early stopping goes by."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from limbeck.core.task import Task, TaskKind
from limbeck.modules.batch import Step, View
from limbeck.modules.capture import modes_kept
from limbeck.modules.runner import Network, watched
from limbeck.networks.datasets.batch import Batch
from limbeck.networks.datasets.data import Samples
from limbeck.networks.training.checks import check_scored
from limbeck.networks.training.engine import Engine
from limbeck.networks.training.metrics import Metric, metric_values

__all__ = ["Scored", "Validation"]


class Scored(NamedTuple):
    """A student on validation rows: a score, larger is better, and a loss, smaller is better."""

    score: float
    loss: float
    metrics: Mapping[str, float | None] = {}

    def row(self) -> dict[str, float | None]:
        """By the names that the history has."""
        return {"score": self.score, "validation_loss": self.loss, **self.metrics}


class Validation:
    """The score of a student on validation rows, and its loss.

    Against the labels: the share of right answers for classes, tokens and labels; for language
    minus the cross entropy; for numbers minus the squared error. Without labels the same against
    the teacher's answers, where a language model's are its likeliest tokens. The loss is the
    cross entropy, binary for labels that hold together, or the squared error of numbers: it tells
    students of the same score apart, and whether one still learns.

    Parameters
    ----------
    samples : Samples
        Rows that are not trained on.
    task : Task
        What is predicted.
    batch_size : int
        Rows of one call.
    engine : Engine
        Where it runs; processes share the rows.
    teacher : Network or None
        Needed where there are no labels.
    metrics : mapping, optional
        Functions of outputs and labels, by name: of all places that count and have a label, on
        the CPU. Rows of a multi-label of which a label is unknown are left out.

    Raises
    ------
    InvalidInput
        If there are neither labels nor a teacher that can be asked.
    """

    def __init__(
        self,
        samples: Samples,
        task: Task,
        batch_size: int,
        engine: Engine,
        teacher: Network | None,
        metrics: Mapping[str, Metric] | None = None,
    ) -> None:
        check_scored(samples, None if teacher is None else teacher.module)
        self._samples, self._task, self._engine = samples, task, engine
        self._batch, self._metrics = batch_size, metrics or {}
        self._teacher = None if samples.has_labels else teacher
        shared = engine.processes > 1 and not engine.sharded
        every = range(len(samples))
        self._rows = every[engine.rank :: engine.processes] if shared else every
        self._shared = shared
        self._answers: list[Tensor] = []
        self.constant = math.nan
        """The loss of the best answer that is the same for all rows; known after a call."""

    def __call__(self, student: nn.Module) -> Scored:
        """The student's score and loss; its modes are restored."""
        seen: list[Tensor] = []
        pairs: list[tuple[Tensor, Tensor]] = []  # for metrics
        sums = torch.zeros(3, dtype=torch.float64, device=self._engine.device)
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
                step = Step(batch.inputs, labels, view, None, self._task)
                found = step.aligned.labels if self._task.sequential else step.classes
                assert found is not None  # noqa: S101  (checked when made)
                known = batch.labelled if self._teacher is None else None
                places = self._scores(step.aligned.student, found, known)  # (p,), (p,)
                means = [x.sum(dtype=torch.float64) for x in places]
                sums += torch.stack([*means, sums.new_tensor(len(places[0]))])
                whole = known if known is None or known.ndim == 1 else known.all(-1)
                if math.isnan(self.constant):
                    seen.append((found if whole is None else found[whole]).cpu())
                if self._metrics:
                    both = step.aligned.student, found
                    pairs.append(_pair(*(x if whole is None else x[whole] for x in both)))
        total, lost, count = self._engine.mean(sums).tolist()
        if math.isnan(self.constant):
            every = self._engine.gathered(torch.cat(seen) if seen else torch.zeros(0))
            self.constant = _constant(torch.cat(every), self._task)
        own = self._own_metrics(pairs)
        return Scored(total / count, lost / count, own) if count else Scored(0.0, 0.0, own)

    def _own_metrics(self, pairs: list[tuple[Tensor, Tensor]]) -> dict[str, float | None]:
        """Of the rows of all processes; none where no place has a label."""
        if not self._metrics:
            return {}
        if self._shared:
            pairs = [pair for each in self._engine.gathered(pairs) for pair in each]
        outputs, labels = (torch.cat(x) for x in zip(*pairs, strict=True))
        if not len(labels):
            return dict.fromkeys(self._metrics)
        return metric_values(self._metrics, outputs, labels)

    def _scores(
        self, logits: Tensor, labels: Tensor, known: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """One score and one loss for each place that has a label, (p,) each."""
        kind = self._task.kind
        if self._task.classifies:
            if known is not None:
                logits, labels = logits[known], labels[known]
            losses = F.cross_entropy(logits, labels, reduction="none")
            if kind is TaskKind.LANGUAGE and self._teacher is None:
                return -losses, losses
            return (logits.argmax(-1) == labels).float(), losses
        labels = labels.reshape(logits.shape)
        if kind is TaskKind.MULTILABEL:
            same = ((logits > 0) == (labels > 0.5)).float()
            losses = F.binary_cross_entropy_with_logits(logits, labels.float(), reduction="none")
            if known is None:
                return same.mean(-1), losses.mean(-1)
            counts = known.sum(-1)
            some = counts > 0
            means = [(x * known).sum(-1) / counts.clamp(min=1) for x in (same, losses)]
            return means[0][some], means[1][some]
        errors = ((logits - labels) ** 2).flatten(1).mean(-1)
        return -errors, errors

    def _answer(self, i: int, batch: Batch) -> Tensor:
        """What the teacher says of a batch; asked once."""
        if i == len(self._answers):
            assert self._teacher is not None  # noqa: S101  (the caller checks)
            self._answers.append(self._hard(self._teacher(batch.inputs)))
        return self._answers[i]

    def _hard(self, view: View) -> Tensor:
        if self._task.kind is TaskKind.LANGUAGE:  # moved, so that a place's label is its next token
            return F.pad(view.logits.argmax(-1), (1, 0))[:, :-1]
        if self._task.classifies:
            return view.logits.argmax(-1)
        return (view.logits > 0).float() if self._task.kind is TaskKind.MULTILABEL else view.logits


def _pair(outputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Outputs in float32 and labels on the CPU, where metrics are computed."""
    return outputs.detach().float().cpu(), labels.cpu()


def _constant(labels: Tensor, task: Task) -> float:
    """The loss of the best answer that is the same for all places: entropy, or variance."""
    if not len(labels):
        return 0.0
    if task.classifies:
        share = torch.bincount(labels).double() / len(labels)
        return float(torch.special.entr(share).sum())
    labels = labels.double().flatten(1) if labels.ndim > 1 else labels.double()[:, None]
    if task.kind is TaskKind.MULTILABEL:
        share = labels.mean(0)
        return float((torch.special.entr(share) + torch.special.entr(1 - share)).mean())
    return float(labels.var(0, unbiased=False).mean())
