"""Parts of an update, each with its share of what the update's means are over.

A loss is a mean over what counts: rows, outputs of sequences, weights that a filter gives, pairs of
tokens. A mean of the parts' means would let what counts in a part of few count for more than in a
part of many. So each part is told what it holds of the whole update, over all its parts and
processes, and every loss takes the share of its own kind: the sum over all parts is then the loss
of the batch as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task, TaskKind
from limbeck.modules.batch import Over, Step, View
from limbeck.networks.datasets.batch import Batch
from limbeck.networks.losses.filters import Filter
from limbeck.networks.losses.layers import entry_weights, pair_of
from limbeck.networks.losses.loss import Objective
from limbeck.networks.training.engine import Engine
from limbeck.networks.training.settings import Training
from limbeck.networks.training.teacher_outputs import Ask

__all__ = ["Part", "Plan", "counts", "part_notes", "parts_of"]

_HELD = 1 << 30
"""Bytes of the teacher's answers kept from the filter to the loss; beyond, it is asked twice."""


@dataclass(frozen=True, eq=False)
class Part:
    """One part of an update.

    Parameters
    ----------
    batch : Batch
        Its rows.
    taught : View or None
        The teacher's answers; None without a teacher.
    weight : Tensor, optional
        From the filter; None where it was not asked, since this is the whole update.
    shares : mapping, optional
        What the part holds of the whole update, by what losses are means over: the mean over
        processes of the sums over parts is 1. None where it is the whole.
    last : bool
        Whether it completes the update.
    """

    batch: Batch
    taught: View | None
    weight: Tensor | None
    shares: Mapping[Over, float] | None
    last: bool


def parts_of(
    batches: Iterator[Batch],
    plan: Plan,
    update: int,
    task: Task,
    engine: Engine,
    ask: Ask | None = None,
    filter: Filter | None = None,  # noqa: A002  (the word of the design)
) -> Iterator[Part]:
    """Parts of updates in their order.

    Parameters
    ----------
    batches : iterator of Batch
        In this process, from the first part of an update on.
    plan : Plan
        How many parts an update has.
    update : int
        The first one.
    task : Task
        What counts.
    engine : Engine
        Its processes share every update.
    ask : callable, optional
        Gives the teacher's view of a batch.
    filter : Filter, optional
        Weighs what is learned from the teacher.
    """
    if engine.processes * plan.parts == 1:
        for batch in islice(batches, plan.updates - update):
            yield Part(batch, None if ask is None else ask(batch), None, None, True)
        return
    for now in range(update, plan.updates):
        sizes = plan.sizes(now)
        parts = list(islice(batches, len(sizes)))
        held: list[View | None] = [None] * len(parts)
        weights: list[Tensor | None] = [None] * len(parts)
        room = _HELD
        if filter is not None:
            for i, batch in enumerate(parts):
                taught = None if ask is None else ask(batch)
                weights[i] = filter(_unseen(batch, taught, task)).detach()
                room -= 0 if taught is None else _bytes(taught)
                held[i] = taught if room > 0 else None
        found = _shares(parts, weights, task, engine)
        for i, (batch, weight, shares) in enumerate(zip(parts, weights, found, strict=True)):
            taught, held[i] = held[i], None
            if taught is None and ask is not None:
                taught = ask(batch)
            yield Part(batch, taught, weight, shares, i + 1 == len(sizes))


def counts(batch: Batch, weight: Tensor | None, task: Task) -> Tensor:
    """What a part holds of everything that losses are means over, in the order of `Over`.

    Parameters
    ----------
    batch : Batch
        Of n rows.
    weight : Tensor of shape (n,) or (n, t), optional
        From the filter.
    task : Task
        What counts. The places of sequences are those of the mask, the labels or the weights;
        where there is none of these, all rows are taken to have as many.

    Returns
    -------
    Tensor of shape (9,), float64
    """
    n, like = len(batch), [batch.mask, batch.labels if task.sequential else None, weight]
    places = next((x.shape[1] for x in like if x is not None and x.ndim > 1), 1)
    layer = torch.zeros(n, places, 1, device=batch.device)
    step = Step(batch.inputs, batch.labels, View(layer if task.sequential else layer[:, 0]), None,
                task, weight=weight, labelled=batch.labelled)  # fmt: skip
    aligned, pair = step.aligned, pair_of(step, ("", ""), layer, layer)
    tokens, _, each = pair.tokens()
    outputs, there, weights = len(aligned.student), len(tokens), aligned.weight
    left = None if weights is None else weights == 0
    entries = entry_weights(pair)
    found = {
        Over.OUTPUTS: outputs,
        Over.WEIGHTS: outputs if weights is None else weights.sum(),
        Over.LABELS: _labels(outputs, batch.labelled, None, task),
        Over.REST: _labels(outputs, batch.labelled, left, task),
        Over.ROWS: n,
        Over.ROW_WEIGHTS: n if pair.row_weight is None else pair.row_weight.sum(),
        Over.TOKENS: there,
        Over.TOKEN_WEIGHTS: there if each is None else each.sum(),
        Over.ENTRY_WEIGHTS: n * places**2 if entries is None else entries.sum(),
    }
    row = [torch.as_tensor(found[over], dtype=torch.float64, device=layer.device) for over in Over]
    return torch.stack(row)


def _labels(outputs: int, labelled: Tensor | None, left: Tensor | None, task: Task) -> int | Tensor:
    """Outputs with a label, or single labels of a multi-label; only those that are left."""
    several = task.kind in (TaskKind.MULTILABEL, TaskKind.REGRESSION)
    each = task.outputs if several else 1
    if labelled is None:
        return outputs * each if left is None else left.sum() * each
    if left is not None:
        labelled = labelled & (left if labelled.ndim == 1 else left[:, None])
    return labelled.sum()


def part_notes(objective: Objective, student: nn.Module, training: Training) -> list[str]:
    """What an update in parts computes otherwise than in one, in sentences.

    Parameters
    ----------
    objective : Objective
        What is learned.
    student : nn.Module
        Whose batch normalisation sees one part at a time.
    training : Training
        Says how many parts there are.
    """
    parts = training.gradient_accumulation_steps
    rows = training.batch_size // parts
    seen = f"with gradient_accumulation_steps={parts} it sees {rows} rows at a time, not"
    seen += f" {training.batch_size}."
    if parts == 1:
        return []
    notes = [
        f"{p.term.name} {p.term.between_rows}: {seen}"
        for p in objective.parts
        if p.term.between_rows
    ]
    if any(isinstance(m, _NormBase) for m in student.modules()):
        notes.append(f"Batch normalisation takes mean and variance of the rows of a batch: {seen}")
    if objective.balanced:
        notes.append(
            "Weights are shares of the gradient, whose norms are measured on one part of an update"
            f" (gradient_accumulation_steps={parts}), after every 25 parts."
        )
    return notes


def _shares(
    parts: list[Batch], weights: list[Tensor | None], task: Task, engine: Engine
) -> list[dict[Over, float]]:
    """The share of each part, by what is counted; 0 of what nothing in the update holds."""
    held = [counts(batch, weight, task) for batch, weight in zip(parts, weights, strict=True)]
    here = torch.stack(held)  # (parts, 9)
    whole = engine.mean(here.sum(0))
    table = torch.where(whole > 0, here / whole, 0.0)
    return [dict(zip(Over, row, strict=True)) for row in table.tolist()]


def _unseen(batch: Batch, taught: View | None, task: Task) -> Step:
    """A batch before the student has seen it, for filters."""
    student = cast(View, _Unseen())
    return Step(batch.inputs, batch.labels, student, taught, task, index=batch.index,
                labelled=batch.labelled)  # fmt: skip


class _Unseen:
    """Stands for the student's outputs, which are not there yet."""

    def __getattr__(self, name: str) -> Any:
        raise InvalidInput(
            "The filter reads the student's outputs, and an update in parts is weighed before its"
            " first part is learned.",
            "Give gradient_accumulation_steps=1 in one process, or a filter on the teacher, the"
            " labels or the rows.",
        )


def _bytes(view: View) -> int:
    return sum(x.nbytes for x in (view.logits, *view.layers.values()))


@dataclass(frozen=True)
class Plan:
    """The updates of one epoch.

    Every update takes the next ``batch`` rows of the epoch's order; each process takes its equal
    share of them, in ``parts`` one after another. So neither the number of processes nor that of
    parts changes what a batch is. Rows that do not fill an equal share (fewer than processes), and
    a last batch of one row, whose batch statistics are undefined, are left out of that epoch; the
    order of the next one leaves out others.

    Parameters
    ----------
    rows : int
        Of all samples.
    batch : int
        Rows of one update.
    processes, parts : int
        What a batch is split into.
    drop_last : bool
        Whether rows that fill no batch are left out of the epoch, as a DataLoader may ask.
    """

    rows: int
    batch: int
    processes: int = 1
    parts: int = 1
    drop_last: bool = False

    def __post_init__(self) -> None:
        if self.batch % (self.processes * self.parts):
            raise InvalidInput(
                f"The batch size {self.batch} does not split into {self.processes} processes of"
                f" {self.parts} parts.",
                f"Give a multiple of {self.processes * self.parts}.",
            )
        if self.updates == 0:
            dropped = f", and drop_last leaves out fewer than {self.batch}" * self.drop_last
            raise InvalidInput(
                f"There are {self.rows} samples for {self.processes} processes{dropped}.",
                "Give more, or a smaller batch size." if self.drop_last else "Give more.",
            )

    @property
    def micro(self) -> int:
        """Rows of one part, in one process."""
        return self.batch // (self.processes * self.parts)

    @property
    def own(self) -> int:
        """Rows of one update, in one process."""
        return self.batch // self.processes

    @property
    def _last(self) -> int:
        """Rows of the last, shorter update in one process; 0 where there is none."""
        rest = self.rows % self.batch
        alone = rest == 1 and self.batch > 1 and self.rows > 1
        return 0 if alone or self.drop_last else rest // self.processes

    @property
    def updates(self) -> int:
        """Of one epoch."""
        return self.rows // self.batch + (self._last > 0)

    def order(self, order: Tensor, rank: int, done: int) -> Tensor:
        """The rows of one process, in order, without those of the first ``done`` updates.

        Parameters
        ----------
        order : Tensor of shape (rows,)
            The rows of an epoch, of all processes.
        rank : int
            The process, from 0.
        done : int
            Updates of the epoch that are made already.
        """
        full = self.rows // self.batch * self.batch
        own = order[:full].view(-1, self.batch)[:, rank * self.own : (rank + 1) * self.own]
        rest = order[full + rank * self._last : full + (rank + 1) * self._last]
        return torch.cat([own.reshape(-1), rest])[done * self.own :]

    def sizes(self, update: int) -> list[int]:
        """Rows of the parts of one update, in one process.

        Those of a last, shorter update are even, and none is of one row alone, of which batch
        normalisation knows no variance; so a part may be one row longer than ``micro``.
        """
        if update < self.rows // self.batch:
            return [self.micro] * (self.own // self.micro)
        rows = self._last
        parts = -(-rows // self.micro)
        if self.micro > 1:
            parts = max(min(parts, rows // 2), 1)
        each, longer = divmod(rows, parts)
        return [each + 1] * longer + [each] * (parts - longer)

    def sizes_from(self, update: int) -> list[int]:
        """Rows of all parts of an epoch, from an update on, in one process."""
        return [size for now in range(update, self.updates) for size in self.sizes(now)]
