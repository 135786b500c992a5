"""Items of a data set become tensors of one batch; sequences of different length are padded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from limbeck.core.errors import InvalidInput
from limbeck.modules.batch import IGNORED, MASK
from limbeck.networks.datasets.text_labels import Names, places_of_text

__all__ = ["LABELS", "Padding", "label_names", "split", "tensor"]

LABELS = ("labels", "label", "targets", "target", "y")
"""Where labels are in items with names, first found first."""

_ALWAYS = LABELS[:2]  # never an input of a network that is called without labels


def label_names(names: Iterable[str], labelled: bool = True) -> list[str]:
    """Which names of an item are no inputs: first the one that holds the labels.

    ``labels`` and ``label`` always; where there is neither, the first of ``targets``, ``target``
    and ``y``, unless labels are given apart.

    Parameters
    ----------
    names : iterable of str
        Names of the fields of an item.
    labelled : bool
        Whether labels are looked for in the items.
    """
    given = set(names)
    found = [n for n in _ALWAYS if n in given]
    others = [n for n in LABELS[2:] if n in given]
    return found or (others[:1] if labelled and len(given) > 1 else [])


def tensor(value: Any) -> Tensor | None:
    """A number or array as a tensor; None for what is none.

    Doubles of Python and numpy take torch's default dtype, so that networks take them.
    """
    if isinstance(value, Tensor):
        return value
    if isinstance(value, str | bytes) or value is None:
        return None
    try:
        array = np.asarray(value)
    except ValueError:  # ragged
        return None
    if array.dtype.kind not in "biuf" or not array.dtype.isnative:
        return None
    if array.dtype == np.float64:
        return torch.as_tensor(array.astype(np.float64)).to(torch.get_default_dtype())
    return torch.from_numpy(np.array(array))  # a copy: memory-mapped arrays are read only


@dataclass(frozen=True)
class Padding:
    """Stacks items; pads named sequences to the longest of the batch, with an attention mask.

    Parameters
    ----------
    pad : int
        The token that fills up ``input_ids``. Masks and other named inputs are filled with 0,
        labels with -100, so that these places do not count. A label of None is -100, too.
    length : int, optional
        Pad to this length in every batch, rather than to the longest.
    names : tuple, optional
        The classes, where labels may be text: these become their places. None refuses text, and
        with an empty tuple labels are not read.
    """

    pad: int = 0
    length: int | None = None
    names: Names = None

    def __call__(self, items: Sequence[Any]) -> Any:
        """Tensors of a batch in the form of one item: a tensor, a tuple or a mapping.

        Raises
        ------
        InvalidInput
            If items hold no numbers, or have different shapes and are no named sequences.
        """
        first = items[0]
        if isinstance(first, Mapping):
            return self._named(items)
        if isinstance(first, tuple | list):
            odd = next(
                (i for i in items if type(i) is not type(first) or len(i) != len(first)), first
            )
            if odd is not first:
                entries = len(odd) if isinstance(odd, tuple | list) else 1
                raise InvalidInput(
                    f"One item has {len(first)} entries and another has {entries}.",
                    "Give all items the same entries; None as the label of one without a label.",
                )
            return tuple(
                self._stacked(
                    self._labels([item[j] for item in items], j > 0 and j == len(first) - 1),
                    f"entry {j} of an item",
                )
                for j in range(len(first))
            )
        return self._stacked(items, "an item")

    def columns(self, columns: Mapping[str, Sequence[Any]]) -> dict[str, Tensor]:
        """The same for named columns (a tensor, or one value per row), as a mapping of tensors.

        Columns without numbers are left out. With ``input_ids``, or where sequences differ in
        length, there is an attention mask.
        """
        labels = label_names(columns)
        rows = {n: _numbers(self._labels(column, n in labels)) for n, column in columns.items()}
        held = {name: found for name, found in rows.items() if found is not None}
        if any(len(r) == 0 and r.is_floating_point() for r in held.get("input_ids", ()) if r.ndim):
            raise InvalidInput("A row of input_ids is empty.", "Drop rows without tokens.")
        lengths = _lengths({n: found for n, found in held.items() if n not in labels})
        out = {n: self._filled(found, n, lengths, n in labels) for n, found in held.items()}
        if lengths is not None and MASK not in out:
            width = self.length or max(lengths)
            out[MASK] = (torch.arange(width) < torch.tensor(lengths)[:, None]).long()  # (n, t)
        return out

    def _named(self, items: Sequence[Mapping[str, Any]]) -> dict[str, Tensor]:
        names = dict.fromkeys(name for item in items for name in item)
        labels = label_names(names)
        out = self.columns(
            {n: [item.get(n) if n in labels else item[n] for item in items] for n in names}
        )
        if not [name for name in out if name not in labels]:
            raise InvalidInput(
                f"No entry of an item holds numbers: {list(items[0])[:8]}.",
                "Tokenize texts, and turn pictures into tensors, in the data set.",
            )
        return out

    def _labels(self, values: Sequence[Any], labels: bool) -> Sequence[Any]:
        return _marked(places_of_text(values, self.names)) if labels else values

    def _stacked(self, values: Sequence[Any], where: str) -> Tensor:
        kind = type(values[0])
        if kind in (int, float) and all(type(v) is kind for v in values):
            return torch.tensor(values)  # at once, since this is on the way of every batch
        rows = [v if isinstance(v, Tensor) else tensor(v) for v in values]
        if any(r is None for r in rows):
            raise InvalidInput(
                f"There is a {type(values[0]).__name__} as {where}.",
                "Turn it into a tensor in the data set, or give a DataLoader with a collate_fn.",
            )
        if len({r.shape for r in rows if r is not None}) > 1:
            shapes = sorted({tuple(r.shape) for r in rows if r is not None})
            raise InvalidInput(
                f"Items differ in shape: {shapes[0]} and {shapes[-1]} as {where}.",
                "Give items as mappings with input_ids (these are padded), or a DataLoader with a"
                " collate_fn.",
            )
        return torch.stack([r for r in rows if r is not None])

    def _filled(
        self, rows: Tensor | list[Tensor], name: str, lengths: list[int] | None, label: bool
    ) -> Tensor:
        """One tensor of rows, padded where they are sequences."""
        each = [len(r) if r.ndim else -1 for r in rows]
        width = max(each)
        counted = not label or not rows[0].is_floating_point()
        if self.length is not None and each == lengths and counted:
            if width > self.length:
                raise InvalidInput(
                    f"A sequence in {name!r} has {width} places, and length is {self.length}.",
                    "Truncate sequences when tokenizing, or give a larger length.",
                )
            width = self.length
        if len({r.shape for r in rows}) == 1 and each[0] == width:
            return rows if isinstance(rows, Tensor) else torch.stack(rows)
        if len({r.shape[1:] for r in rows}) > 1 or min(each) < 0:
            raise InvalidInput(
                f"Items differ in shape: {[tuple(r.shape) for r in rows[:4]]} in {name!r}.",
                "Only the first axis may differ; or give a DataLoader with a collate_fn.",
            )
        fill = IGNORED if label else self.pad if name == "input_ids" else 0
        out = torch.full((len(rows), width, *rows[0].shape[1:]), fill, dtype=rows[0].dtype)
        for place, row in zip(out, rows, strict=True):
            place[: len(row)] = row
        return out


def _numbers(column: Sequence[Any]) -> Tensor | list[Tensor] | None:
    """A column as tensors; None where it holds something else."""
    if isinstance(column, Tensor):
        return column
    rows = [tensor(value) for value in column]
    return None if any(r is None for r in rows) else [r for r in rows if r is not None]


def _marked(values: Sequence[Any]) -> Sequence[Any]:
    """Labels with -100 in the place of None, in the shape of the others."""
    if isinstance(values, Tensor) or all(v is not None for v in values):
        return values
    known = next((tensor(v) for v in values if v is not None), None)
    mark = torch.tensor(IGNORED) if known is None else torch.full_like(known, IGNORED)
    return [mark if v is None else v for v in values]


def _lengths(columns: Mapping[str, Tensor | list[Tensor]]) -> list[int] | None:
    """Lengths of the sequences: of ``input_ids``, or of the first column where they differ."""
    for name, rows in sorted(columns.items(), key=lambda c: c[0] != "input_ids"):
        each = [len(r) if r.ndim else -1 for r in rows]
        if (name == "input_ids" or len(set(each)) > 1) and min(each) >= 0:
            return each
    return None


def split(batch: Any, labelled: bool) -> tuple[Any, Tensor | None]:
    """Inputs and labels of a batch.

    Parameters
    ----------
    batch : tensor, tuple or mapping of tensors
        Of a mapping, what `label_names` names are the labels; of a tuple with two or more
        entries, the last. What is no tensor in a mapping is left out.
    labelled : bool
        Whether it may hold labels.
    """
    if isinstance(batch, Mapping):
        named = {k: v for k, v in batch.items() if isinstance(v, Tensor)}
        found = [named.pop(k) for k in label_names(named, labelled)]
        return named, found[0] if found and labelled else None
    if isinstance(batch, tuple | list):
        inputs = tuple(batch)
        labels = inputs[-1] if labelled and len(inputs) > 1 else None
        if labels is not None and not isinstance(labels, Tensor):
            raise InvalidInput(
                f"The collate_fn returns labels as a {type(labels).__name__}.",
                "Let it return them as a tensor; text as places among the classes.",
            )
        inputs = inputs[:-1] if labels is not None else inputs
        return inputs[0] if len(inputs) == 1 else inputs, labels
    return batch, None
