"""The transfer set: labelled samples and inputs without labels, for student and control.

The student learns from both (Hinton et al. 2015 call what a student is trained on a transfer set),
the control from the labelled samples alone, which are repeated until an epoch of it has as many
updates.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import ConcatDataset, Dataset

from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task, TaskKind
from limbeck.modules.batch import IGNORED
from limbeck.networks.datasets.collate import Padding, label_names
from limbeck.networks.datasets.data import Samples
from limbeck.networks.datasets.sources import Arrays, Columns, Items, Source

__all__ = ["joined", "repeated", "unlabelled_samples"]


def unlabelled_samples(data: Any, like: Samples, pad: int = 0) -> Samples:
    """Inputs without labels, checked against the labelled samples that they are joined to.

    Parameters
    ----------
    data : Dataset, DataLoader, array or Hugging Face data set
        Inputs alone; see `Samples.of`.
    like : Samples
        The labelled samples.
    pad : int
        The token that fills up sequences.

    Raises
    ------
    InvalidInput
        If they have labels, or inputs of another form, shape or kind of number.
    """
    if isinstance(data, str):
        raise InvalidInput(f"unlabelled is {data!r}, a text.", "Give the inputs, as unlabelled=X.")
    if hasattr(data, "__len__") and len(data) == 0:
        raise InvalidInput("unlabelled holds no inputs.", "Leave it out.")
    more = Samples.of(data, pad=pad)
    if more.has_labels:
        raise InvalidInput(
            f"unlabelled holds {len(more):,} samples with labels.",
            "Give inputs alone, as unlabelled=X; join samples with labels to the training data.",
        )
    ours, theirs = (_form(s.fetch([0]).inputs) for s in (like, more))
    if ours != theirs:
        raise InvalidInput(
            f"Unlabelled inputs are {_told(theirs)}, and the training inputs are {_told(ours)}.",
            "Give inputs of the same form, prepared as those of the training data are.",
        )
    return more


def joined(rows: Samples, more: Samples | None, task: Task) -> Samples:
    """Labelled samples, and behind them those without labels.

    Arrays are joined in memory; of data sets the items are drawn one by one, as before, and those
    without a label get the mark of one.

    Parameters
    ----------
    rows : Samples
        With labels, or without any, shaped for the task.
    more : Samples or None
        Without labels; see `unlabelled_samples`.
    task : Task
        What is predicted.

    Raises
    ------
    InvalidInput
        If labels are given for each token: there places without a label do not count.
    """
    if more is None:
        return rows
    if task.sequential and rows.has_labels:
        raise InvalidInput(
            f"unlabelled was given for the task {task.kind}, where places without a label do not"
            " count.",
            "Join them to the training data with labels, which of language are the tokens; or"
            " leave all labels out.",
        )
    if isinstance(rows.source, Arrays) and isinstance(more.source, Arrays):
        source: Source = _arrays(rows, more, task)
    else:
        source = _items(rows, more, task)
    both = rows.over(source, task=task, partial=rows.has_labels).aimed(task)
    both.notes = rows.notes
    return both


def repeated(rows: Samples, total: int) -> Samples:
    """The samples as often as make ``total``, so that an epoch has as many updates as one of these.

    Augmented samples of a data set are drawn anew each time.

    Parameters
    ----------
    rows : Samples
        The labelled samples.
    total : int
        How many there shall be, at least as many as there are.
    """
    n, source = len(rows), rows.source
    if total <= n:
        return rows
    own = _places(source)
    times = math.ceil(total / n)
    if isinstance(source, Items):
        size = len(source.dataset)
        again = torch.cat([own + i * size for i in range(times)])[:total]
        labels = None if source.labels is None else _tiled(source.labels, times)
        repeats: Source = Items(
            _Repeated(source.dataset, times), source.collate, source.labelled, labels, again
        )
        return rows.over(repeats, cases=_cases(rows, total))
    return rows.subset(torch.arange(n).repeat(times)[:total])


def _cases(rows: Samples, total: int) -> Any:
    return None if rows.cases is None else np.resize(rows.cases, total)


def _form(inputs: Any) -> dict[str, tuple[tuple[int, ...], str]]:
    """Shape of one row and kind of number of each input; of named sequences no length."""
    named = isinstance(inputs, Mapping)
    held = inputs if isinstance(inputs, tuple) else (inputs,)
    each = dict(inputs) if named else {str(i): x for i, x in enumerate(held)}
    return {k: (tuple(x.shape[2 if named else 1 :]), _number(x)) for k, x in sorted(each.items())}


def _number(x: Tensor) -> str:
    if x.is_floating_point():
        return "floating-point"
    return str(x.dtype).removeprefix("torch.")


def _told(form: Mapping[str, tuple[tuple[int, ...], str]]) -> str:
    each = [
        f"{f'{name!r}: ' if len(form) > 1 else ''}{kind} numbers of shape {shape} per row"
        for name, (shape, kind) in form.items()
    ]
    return ", ".join(each)


def _places(source: Any) -> Tensor:
    """Where the samples are in what holds them."""
    return torch.arange(len(source)) if source.rows is None else source.rows


def _arrays(rows: Samples, more: Samples, task: Task) -> Arrays:
    ours, theirs = (s.source.all() for s in (rows, more))  # type: ignore[attr-defined]
    inputs: Any
    if isinstance(ours, Mapping):
        inputs = {k: torch.cat([v, theirs[k].to(v)]) for k, v in ours.items()}
    elif isinstance(ours, tuple):
        inputs = tuple(torch.cat([a, b.to(a)]) for a, b in zip(ours, theirs, strict=True))
    else:
        inputs = torch.cat([ours, theirs.to(ours)])
    labels = rows.whole_labels() if rows.has_labels else None
    if labels is not None:
        none = torch.full((len(more), *labels.shape[1:]), _mark(task), dtype=labels.dtype)
        labels = torch.cat([labels, none.to(labels.device)])
    return Arrays(inputs, labels)


def _items(rows: Samples, more: Samples, task: Task) -> Items:
    own, other = _as_items(rows.source), _as_items(more.source)
    apart = own.labels is not None
    first = own.dataset[int(_places(own)[0])]
    unlike: Any = other.dataset
    if rows.has_labels and own.labelled and not apart:
        unlike = _Marked(other.dataset, first, _mark(task))
    size = len(own.dataset)
    places = torch.cat([_places(own), size + _places(other)])
    labels = None
    if apart:
        given = torch.as_tensor(own.labels)
        none = torch.full((len(other.dataset), *given.shape[1:]), _mark(task), dtype=given.dtype)
        labels = torch.cat([given, none])
    both: Any = ConcatDataset([own.dataset, unlike])
    return Items(both, own.collate, own.labelled, labels, places)


def _as_items(source: Any) -> Items:
    """What holds whole batches as a data set of items."""
    if isinstance(source, Items):
        return source
    if isinstance(source, Columns):
        return Items(source.dataset, source.collate, source.labelled, source.labels, source.rows)
    return Items(_ArrayItems(source), Padding(), source.labels is not None, None, source.rows)


def _mark(task: Task) -> float:
    """The label of a sample without one."""
    return math.nan if task.kind is TaskKind.REGRESSION else IGNORED


def _tiled(labels: Any, times: int) -> Any:
    given = torch.as_tensor(labels)
    return given.repeat(times, *[1] * (given.ndim - 1))


class _Repeated(Dataset[Any]):
    """A data set several times, one after another."""

    def __init__(self, dataset: Any, times: int) -> None:
        self.dataset, self.times = dataset, times

    def __len__(self) -> int:
        return len(self.dataset) * self.times

    def __getitem__(self, row: int) -> Any:
        return self.dataset[row % len(self.dataset)]


class _ArrayItems(Dataset[Any]):
    """Arrays as a data set of items, with their labels last or by name."""

    def __init__(self, source: Arrays) -> None:
        self.source = Arrays(source.inputs, source.labels)

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, row: int) -> Any:
        inputs, labels = self.source.fetch(torch.tensor([row]), 0, 0)
        if isinstance(inputs, Mapping):
            named = {k: v[0] for k, v in inputs.items()}
            return named if labels is None else {**named, "labels": labels[0]}
        held = tuple(x[0] for x in (inputs if isinstance(inputs, tuple) else (inputs,)))
        if labels is not None:
            return (*held, labels[0])
        return held if isinstance(inputs, tuple) else held[0]


class _Marked(Dataset[Any]):
    """Items of inputs with the mark of no label, in the form of an item that has one."""

    def __init__(self, dataset: Any, like: Any, mark: float) -> None:
        self.dataset = dataset
        self.name = (label_names(like) or ["labels"])[0] if isinstance(like, Mapping) else None
        given = like[self.name] if self.name is not None else like[-1]
        self.label: Any = None if isinstance(given, str) else _marked(given, mark)
        self.form = type(like)

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, row: int) -> Any:
        item = self.dataset[row]
        if self.name is not None:
            return {**item, self.name: self.label}
        inputs = tuple(item) if isinstance(item, tuple | list) else (item,)
        return self.form((*inputs, self.label))


def _marked(given: Any, mark: float) -> Any:
    """A label that says that there is none, of the type and shape of one."""
    if isinstance(given, Tensor):
        return torch.full_like(given, mark)
    if isinstance(given, np.ndarray | np.generic):
        return np.full_like(given, mark)
    return type(given)(mark) if isinstance(given, float) else int(mark) if mark == mark else mark
