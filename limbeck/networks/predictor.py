"""A trained network as what a certificate needs: rows of a table in, one answer a row out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from limbeck.contract import Task
from limbeck.features import Features
from limbeck.networks.capture import asking, logits_of, run
from limbeck.networks.fingerprint import fingerprint
from limbeck.networks.views import IGNORED, Goal, Kind
from limbeck.students.layout import Block, Layout
from limbeck.students.onnx import answers_of

__all__ = ["Certified", "named", "table_of"]

_TOLD = "teacher's answers"
_COMPARED = {Kind.MULTILABEL: "labels", Kind.TOKENS: "tokens", Kind.LANGUAGE: "tokens"}


@dataclass(frozen=True, eq=False)
class Table:
    """Test rows as a table, and what a certificate compares on them.

    Parameters
    ----------
    layout : Layout
        The inputs, and the teacher's answers where a row has many.
    rows : ndarray of shape (n, d)
        The table.
    answers : ndarray of shape (n,)
        The teacher's labels or values; 0 where ``compared`` measures the distance to them.
    task : Task
        Classes, or one number.
    compared : str
        See `limbeck.students.onnx.answers_of`.
    """

    layout: Layout
    rows: NDArray[np.float64]
    answers: NDArray[Any]
    task: Task
    compared: str


@dataclass(eq=False)
class Certified:
    """A module that answers the rows of a `Table`."""

    module: nn.Module
    table: Table
    names: tuple[str, ...] | None
    batch_size: int = 256
    _print: str = field(default="", init=False)

    @property
    def features_(self) -> Features:
        """The columns of the table."""
        return self.table.layout.features

    @property
    def task_(self) -> Task:
        """Classes, or one number."""
        return self.table.task

    def fingerprint(self) -> str:
        """SHA-256 of the module; see `limbeck.networks.fingerprint`."""
        self._print = self._print or fingerprint(self.module)
        return self._print

    def predict(self, X: Any) -> NDArray[Any]:
        """Labels or values of shape (n,), for rows of shape (n, d)."""
        rows = self.features_.encode(X)
        device = next((p.device for p in self.module.parameters()), torch.device("cpu"))
        out = []
        with asking(self.module):
            for start in range(0, len(rows), self.batch_size):
                parts = self.table.layout.inputs(rows[start : start + self.batch_size])
                told = parts.pop() if self.table.compared else None
                given = [torch.from_numpy(p).to(device) for p in parts]
                output = run(self.module, _as_inputs(given, self.names))
                scores = logits_of(output, type(self.module).__name__).float().cpu().numpy()
                out.append(answers_of(scores, self.task_, told, self.table.compared))
        return np.concatenate(out)


def named(inputs: Any) -> tuple[tuple[str, ...] | None, list[Tensor]]:
    """The tensors of a batch's inputs, and their names where they have any."""
    if isinstance(inputs, Mapping):
        return tuple(inputs), list(inputs.values())
    return None, list(inputs) if isinstance(inputs, tuple | list) else [inputs]


def table_of(
    batches: Any, teacher: nn.Module, goal: Goal, task: Task
) -> tuple[Table, tuple[str, ...] | None]:
    """Test rows as a table with the teacher's answers, and the names of the inputs.

    Parameters
    ----------
    batches : iterable of Batch
        In the order of the rows.
    teacher : nn.Module
        Asked in eval mode, without gradients.
    goal : Goal
        What the outputs mean.
    task : Task
        The classes of a classification, or the unit of a number.
    """
    parts: list[list[NDArray[Any]]] = []
    told: list[NDArray[Any]] = []
    names: tuple[str, ...] | None = None
    with asking(teacher):
        for batch in batches:
            names, tensors = named(batch.inputs)
            parts.append([t.cpu().numpy() for t in tensors])
            logits = logits_of(run(teacher, batch.inputs), type(teacher).__name__).float()
            told.append(_told(logits, batch, goal))
    columns = zip(names or _numbered(parts), zip(*parts, strict=True), strict=True)
    blocks = [_block(n, p) for n, p in columns]
    compared = _COMPARED.get(goal.kind, "numbers" if goal.kind is Kind.VALUES else "")
    if goal.kind is Kind.VALUES and goal.outputs == 1:
        compared = ""
    if not compared:
        layout = Layout(tuple(blocks))
        answers = np.concatenate(told)
        said = task.labels[answers] if task.classifies else answers.reshape(-1)
        return Table(layout, _stack(layout, parts), said, task, ""), names
    widest = Block(_TOLD, _largest(told), str(told[0].dtype))
    layout = Layout((*blocks, widest))
    joined = [[*p, _filled(t, widest.shape)] for p, t in zip(parts, told, strict=True)]
    unit = task.unit if compared == "numbers" else "share of answers"
    rows = _stack(layout, joined)
    return Table(layout, rows, np.zeros(len(rows)), Task(unit=unit), compared), names


def _told(logits: Tensor, batch: Any, goal: Goal) -> NDArray[Any]:
    """The teacher's answers: (n,), or (n, ...) with -1 where none counts."""
    if goal.kind is Kind.VALUES:
        return np.asarray(logits.reshape(len(logits), -1).double().cpu().numpy())
    if goal.kind is Kind.MULTILABEL:
        return np.asarray((logits > 0).long().cpu().numpy())
    found = logits.argmax(-1)
    if goal.sequential:
        mask = batch.inputs.get("attention_mask") if isinstance(batch.inputs, Mapping) else None
        counts = torch.ones_like(found, dtype=torch.bool) if mask is None else mask.bool()
        if batch.labels is not None:
            counts = counts & (batch.labels != IGNORED)
        if goal.kind is Kind.LANGUAGE:
            counts = torch.cat([counts[:, 1:], torch.zeros_like(counts[:, :1])], dim=1)
        found = torch.where(counts, found, -1)
    return np.asarray(found.cpu().numpy())


def _numbered(parts: list[list[NDArray[Any]]]) -> tuple[str, ...]:
    n = len(parts[0])
    return ("input",) if n == 1 else tuple(f"input{i}" for i in range(n))


def _block(name: str, arrays: tuple[NDArray[Any], ...]) -> Block:
    return Block(name, _largest(list(arrays)), str(arrays[0].dtype))


def _largest(arrays: list[NDArray[Any]]) -> tuple[int, ...]:
    return tuple(int(v) for v in np.max([a.shape[1:] for a in arrays], axis=0))


def _filled(told: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    pad = [(0, 0), *((0, b - a) for a, b in zip(told.shape[1:], shape, strict=True))]
    return np.pad(told, pad, constant_values=-1)


def _stack(layout: Layout, parts: list[list[NDArray[Any]]]) -> NDArray[np.float64]:
    return np.concatenate([layout.rows(p) for p in parts])


def _as_inputs(tensors: list[Tensor], names: tuple[str, ...] | None) -> Any:
    if names is not None:
        return dict(zip(names, tensors, strict=True))
    return tensors[0] if len(tensors) == 1 else tuple(tensors)
