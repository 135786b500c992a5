"""A trained network as what a certificate needs: rows of a table in, one answer per row out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task, TaskKind
from limbeck.data.duplicates import ColumnKind
from limbeck.modules.batch import counted
from limbeck.modules.capture import asking
from limbeck.modules.fingerprint import fingerprint
from limbeck.modules.outputs import answer
from limbeck.students.onnx.layout import Block, Layout
from limbeck.students.onnx.student import answers_of

__all__ = ["Certified", "CertifiedRows", "layout_of", "named", "rows_of", "table_of", "told_of"]

_TOLD = "teacher's answers"
_COMPARED = {TaskKind.MULTILABEL: "labels", TaskKind.TOKENS: "tokens", TaskKind.LANGUAGE: "tokens"}


@dataclass(frozen=True, eq=False)
class CertifiedRows:
    """Test rows as a table, and what a certificate compares on them.

    Parameters
    ----------
    layout : Layout
        The inputs, and the teacher's answers where a row has many.
    names : tuple of str or None
        The names under which the network takes its inputs, if any.
    rows : ndarray of shape (n, d)
        The table.
    answers : ndarray of shape (n,)
        The teacher's labels or values; 0 where ``compared`` measures the distance to them.
    task : Task
        Classes, or one number.
    compared : str
        See `limbeck.students.onnx.student.answers_of`.
    cases : ndarray of shape (n,) or None
        The case of each row.
    """

    layout: Layout
    names: tuple[str, ...] | None
    rows: NDArray[np.float64]
    answers: NDArray[Any]
    task: Task
    compared: str
    cases: NDArray[Any] | None = None


@dataclass(eq=False)
class Certified:
    """A module that answers the rows of a `CertifiedRows`."""

    module: nn.Module
    table: CertifiedRows
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
        """SHA-256 of the module; see `limbeck.modules.fingerprint`."""
        self._print = self._print or fingerprint(self.module)
        return self._print

    @property
    def kinds(self) -> tuple[ColumnKind, ...]:
        """What the columns of `bare` hold; see `limbeck.students.onnx.layout.Layout.kinds`."""
        return self.table.layout.kinds(told=bool(self.table.compared))

    def bare(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """What rows of shape (n, d) share with rows of the training: inputs without padding."""
        return self.table.layout.bare(rows, told=bool(self.table.compared))

    def predict(self, X: Any) -> NDArray[Any]:
        """Labels or values of shape (n,), for rows of shape (n, d)."""
        rows, out = self.features_.encode(X), []
        with asking(self.module):
            for start in range(0, len(rows), self.batch_size):
                some = rows[start : start + self.batch_size]
                told = self.table.layout.inputs(some)[-1] if self.table.compared else None
                scores = answer(self.module, self.inputs(some)).float().cpu().numpy()
                out.append(answers_of(scores, self.task_, told, self.table.compared))
        return np.concatenate(out)

    def inputs(self, rows: NDArray[np.float64]) -> Any:
        """Rows of shape (n, d) as the network takes them, where its weights are."""
        parts = self.table.layout.inputs(rows)
        if self.table.compared:
            parts.pop()
        device = next((p.device for p in self.module.parameters()), torch.device("cpu"))
        return _as_inputs([torch.from_numpy(p).to(device) for p in parts], self.table.names)


def named(inputs: Any) -> tuple[tuple[str, ...] | None, list[Tensor]]:
    """The tensors of a batch's inputs, and their names where they have any."""
    if isinstance(inputs, Mapping):
        return tuple(inputs), list(inputs.values())
    return None, list(inputs) if isinstance(inputs, tuple | list) else [inputs]


def layout_of(batches: Iterable[Any]) -> Layout:
    """The layout that all inputs of these batches fit into."""
    widest: dict[str, Block] = {}
    for batch in batches:
        names, tensors = named(batch.inputs)
        for name, tensor in zip(names or _numbered(len(tensors)), tensors, strict=True):
            shape = tuple(tensor.shape[1:])
            known = widest.get(name)
            if known is not None:
                shape = tuple(map(max, known.shape, shape))
            widest[name] = Block(name, shape, str(tensor.dtype).removeprefix("torch."))
    return Layout(tuple(widest.values()))


def rows_of(inputs: Any, layout: Layout, pad: int = 0) -> NDArray[np.float64]:
    """The inputs of a batch as rows of shape (n, d); named ones in the order of the layout.

    Shorter inputs are filled up with 0, and ``input_ids`` with the token ``pad``.

    Parameters
    ----------
    inputs : Tensor, tuple or mapping
        A batch.
    layout : Layout
        Names, shapes and dtypes of the inputs.
    pad : int
        The token that fills up ``input_ids``.

    Raises
    ------
    InvalidInput
        If names are lacking, or inputs do not fit.
    """
    names, tensors = named(inputs)
    if names is not None:
        wanted = tuple(b.name for b in layout.blocks)
        if set(names) != set(wanted):
            raise InvalidInput(
                f"Some rows have the inputs {sorted(names)}, others {sorted(wanted)}.",
                "Give training and test rows with the same columns.",
            )
        tensors = [inputs[name] for name in wanted]
        for i, block in enumerate(layout.blocks):
            if block.name == "input_ids" and len(block.shape) == 1:
                more = max(block.shape[0] - tensors[i].shape[1], 0)
                tensors[i] = torch.nn.functional.pad(tensors[i], (0, more), value=pad)
    return layout.rows([t.cpu().numpy() for t in tensors])


def table_of(
    batches: Iterable[Any],
    told: Sequence[NDArray[Any]],
    task: Task,
    layout: Layout,
    pad: int = 0,
    cases: NDArray[Any] | None = None,
) -> CertifiedRows:
    """Test rows as a table, with the teacher's answers; sequences of which no token counts are out.

    Parameters
    ----------
    batches : iterable of Batch
        In the order of the rows.
    told : sequence of ndarray
        The teacher's answers to each of these batches, as `told_of` gives them.
    task : Task
        What the outputs mean, with the classes of a classification or the unit of a number.
    layout : Layout
        That of the inputs; the teacher's answers are appended where a row has many.
    pad : int
        The token that fills up shorter sequences.
    cases : ndarray, optional
        The case of each row.
    """
    rows, ordered = [], False
    for batch in batches:
        ordered = isinstance(batch.inputs, Mapping)
        rows.append(rows_of(batch.inputs, layout, pad))
    names = tuple(b.name for b in layout.blocks) if ordered else None
    many = task.kind not in (TaskKind.CLASSIFICATION, TaskKind.REGRESSION) or (
        task.kind is TaskKind.REGRESSION and task.outputs > 1
    )
    if task.kind is TaskKind.MULTILABEL and all(
        t[0].size == 1 for t in told
    ):  # one label: yes or no
        many, task = False, Task((0, 1))
    if not many:
        answers = np.concatenate([t.reshape(-1) for t in told])
        said = task.labels[answers] if task.classifies else answers
        return CertifiedRows(layout, names, np.concatenate(rows), said, task, "", cases)
    compared = _COMPARED.get(task.kind, "numbers")
    shape = tuple(int(v) for v in np.max([t.shape[1:] for t in told], axis=0))
    answers = np.concatenate([_filled(t, shape) for t in told]).reshape(-1, math.prod(shape))
    widened = Layout((*layout.blocks, Block(_TOLD, shape, str(told[0].dtype))))
    table = np.concatenate([np.concatenate(rows), answers], axis=1)
    if task.sequential:
        there = (answers >= 0).any(axis=1)
        table, cases = table[there], None if cases is None else cases[there]
    unit = task.unit if compared == "numbers" else "share of answers"
    return CertifiedRows(
        widened, names, table, np.zeros(len(table)), Task(unit=unit), compared, cases
    )


def told_of(logits: Tensor, batch: Any, task: Task) -> NDArray[Any]:
    """A network's answers to a batch: (n,), or (n, ...) with -1 where none counts.

    Parameters
    ----------
    logits : Tensor of shape (n, ...)
        What it returned.
    batch : Batch
        Its mask and labels say which tokens count.
    task : Task
        What the outputs mean.
    """
    if task.kind is TaskKind.REGRESSION:
        return np.asarray(logits.reshape(len(logits), -1).double().cpu().numpy())
    if task.kind is TaskKind.MULTILABEL:
        return np.asarray((logits > 0).long().cpu().numpy())
    found = logits.argmax(-1)
    if task.sequential:
        counts = counted(logits, batch.mask, batch.labels, task)
        found = torch.where(counts, found, -1)
    return np.asarray(found.cpu().numpy())


def _numbered(n: int) -> tuple[str, ...]:
    return ("input",) if n == 1 else tuple(f"input{i}" for i in range(n))


def _filled(told: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    pad = [(0, 0), *((0, b - a) for a, b in zip(told.shape[1:], shape, strict=True))]
    return np.pad(told, pad, constant_values=-1)


def _as_inputs(tensors: list[Tensor], names: tuple[str, ...] | None) -> Any:
    if names is not None:
        return dict(zip(names, tensors, strict=True))
    return tensors[0] if len(tensors) == 1 else tuple(tensors)
