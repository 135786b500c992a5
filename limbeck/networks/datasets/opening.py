"""What users have becomes a source of samples: loaders, data sets, arrays, columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    Subset,
    TensorDataset,
    default_collate,
)

from limbeck.core.errors import InvalidInput
from limbeck.data.labels import is_missing
from limbeck.networks.datasets.collate import Padding, label_names, tensor
from limbeck.networks.datasets.shards import shards
from limbeck.networks.datasets.sources import Arrays, Columns, Items, Source
from limbeck.networks.datasets.text_labels import first_text, places_of_text

__all__ = ["Opened", "opened", "text_column"]

_LOOKED = 256  # labels of a column that say whether it is of text


@dataclass(frozen=True, eq=False)
class Opened:
    """A source, and what a DataLoader said about reading it."""

    source: Source
    batch_size: int | None = None
    workers: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    drop_last: bool = False


def opened(data: Any, labels: Any, padding: Padding) -> Opened:
    """A source from a DataLoader, a data set, arrays or columns; see `Samples.of`.

    Parameters
    ----------
    data : DataLoader, data set, arrays, columns, str or Path
        The samples; a path or a pattern names Parquet or Arrow files.
    labels : array-like or None
        Labels given apart from the samples.
    padding : Padding
        How sequences of different lengths become one tensor.

    Raises
    ------
    InvalidInput
        If the data is a stream or holds no numbers, or labels are not one for each sample.
    """
    workers: dict[str, Any] = {}
    size: int | None = None
    data = shards(data) if isinstance(data, str | Path) else data
    if labels is not None:  # those inside are not read
        padding = replace(padding, names=())
    collate: Any = padding
    _check_stream(data.dataset if isinstance(data, DataLoader) else data)
    drop_last = isinstance(data, DataLoader) and data.drop_last
    if isinstance(data, DataLoader):
        data, collate, workers, size = _loader(data, padding)
    apart = None if labels is None or labels is False else _array(labels)
    notes: tuple[str, ...] = ()
    source: Source | None = None
    if collate is padding and hasattr(data, "column_names"):
        source, notes = _columns(data, apart, labels is not False, padding)
    elif collate is padding:
        source = _arrays(data, labels)
    if source is None:
        data = _Rows(data) if isinstance(data, Mapping) else data
        if not (hasattr(data, "__len__") and hasattr(data, "__getitem__")):
            raise InvalidInput(
                f"The data is a {type(data).__name__}.",
                "Give a Dataset, a DataLoader, arrays, or a Hugging Face data set.",
            )
        source = Items(data, collate, labels is not False, apart)
    if apart is not None and len(apart) != len(source):
        raise InvalidInput(
            f"There are {len(source)} samples and {len(apart)} labels.", "Give one for each."
        )
    return Opened(source, size, workers, notes, drop_last)


def _check_stream(data: Any) -> None:
    if isinstance(data, IterableDataset | Iterator):
        raise InvalidInput(
            f"{type(data).__name__} is a stream: its samples have no places.",
            "Give a data set with a length and items by place.",
        )


def _loader(loader: DataLoader[Any], padding: Padding) -> tuple[Any, Any, dict[str, Any], Any]:
    """Data set, collation, worker settings and batch size of a DataLoader."""
    batches = loader.batch_sampler
    if batches is None:
        raise InvalidInput(
            "The DataLoader has batch_size=None: its items are no single samples.",
            "Give a data set of samples, or a DataLoader that batches them.",
        )
    drawn: Any = getattr(batches, "sampler", batches)
    plain = type(batches) is BatchSampler and (
        type(drawn).__name__ == "DistributedSampler"
        or isinstance(drawn, SequentialSampler)
        or (isinstance(drawn, RandomSampler) and not drawn.replacement)
    )
    if not plain:
        raise InvalidInput(
            f"The DataLoader draws by a {type(drawn).__name__}, which is not taken over.",
            "Give the data set, with RowWeights as filter where rows should count differently, or"
            " by_length=True where sequences of one length belong together.",
        )
    size = batches.batch_size if isinstance(batches, BatchSampler) else None
    collate = padding if loader.collate_fn in (default_collate, None) else loader.collate_fn
    keys = ("num_workers", "pin_memory", "timeout", "worker_init_fn", "multiprocessing_context")
    settings = {k: getattr(loader, k) for k in (*keys, "prefetch_factor")}
    settings["pin_memory"] &= torch.accelerator.is_available()
    return loader.dataset, collate, settings, size


def _array(value: Any) -> Any:
    """A tensor or numpy array of numbers."""
    value = value.to_numpy() if hasattr(value, "to_numpy") else value
    if isinstance(value, Tensor):
        return value.detach()
    try:
        array = np.asarray(value)
    except ValueError:
        raise InvalidInput(
            "Rows of a list differ in length.",
            "Give sequences as {'input_ids': rows}, which are padded.",
        ) from None
    if array.dtype == object and array.ndim > 1:
        absent = is_missing(array).reshape(len(array), -1).any(1)
        if absent.any():
            raise InvalidInput(
                f"An array of shape {array.shape} holds None or NaN among objects, first in row"
                f" {int(absent.argmax())} ({int(absent.sum()):,} rows).",
                "Drop these rows, or fill in numbers; of labels, -1 throughout a row means that it"
                " has none, except for regression.",
            )
    if array.dtype.kind not in "biuf" or array.ndim == 0:
        raise InvalidInput(
            f"An array is of {array.dtype} and shape {array.shape}.",
            "Give numbers, with samples on the first axis.",
        )
    return array


def _arrays(data: Any, labels: Any) -> Arrays | None:
    """Arrays where the data is made of them, else None."""
    rows: Tensor | None = None
    if type(data) is Subset and type(data.dataset) is TensorDataset and labels in (None, False):
        data, rows = data.dataset, torch.as_tensor(data.indices, dtype=torch.int64)
    if type(data) is TensorDataset:  # a subclass may do more
        held = tuple(data.tensors)
        if labels is None and len(held) > 1:
            held, labels = held[:-1], held[-1]
        data = held[0] if len(held) == 1 else held
    elif isinstance(data, tuple) and len(data) == 2 and labels is None:
        data, labels = data
    elif isinstance(data, list) and data and isinstance(data[0], int | float | list):
        data = _array(data)
    if isinstance(data, Mapping):
        named = dict(data)
        found = [named.pop(k) for k in label_names(named, labels is None)]
        labels = found[0] if found and labels is None else labels
        if not named or not all(isinstance(v, Tensor | np.ndarray) for v in named.values()):
            return None
        data = {k: _array(v) for k, v in named.items()}
    elif isinstance(data, tuple):
        data = tuple(_array(v) for v in data)
    elif isinstance(data, Tensor | np.ndarray) or hasattr(data, "to_numpy"):
        data = _array(data)
    else:
        return None
    labels = None if labels is None or labels is False else _array(labels)
    held = tuple(data.values()) if isinstance(data, dict) else data
    held = held if isinstance(held, tuple) else (held,)
    lengths = {len(a) for a in (*held, *([] if labels is None else [labels]))}
    if len(lengths) > 1:
        raise InvalidInput(
            f"Arrays have {' and '.join(map(str, sorted(lengths)))} rows.",
            "Give one row, and one label, for each sample.",
        )
    return Arrays(data, labels, rows)


def _columns(
    data: Any, apart: Any, labelled: bool, padding: Padding
) -> tuple[Source, tuple[str, ...]]:
    """A Hugging Face data set, without the columns that hold no numbers."""
    if isinstance(data, Mapping):
        raise InvalidInput(
            f"The data set has the parts {sorted(data)}.",
            "Give one of them, such as data['train'].",
        )
    if data.format["type"] == "custom":  # a transform that may augment: item by item
        return Items(data, padding, labelled, apart), ()
    data = data.with_format("torch", columns=data.format["columns"])
    first = data[0] if len(data) else {}
    own = label_names(first, labelled and apart is None)[:1]
    texts = [] if padding.names == () else [k for k in own if text_column(data, k)]
    if texts:
        places_of_text(text_column(data, texts[0]), padding.names)
    kept = [k for k, v in first.items() if k in texts or tensor(v) is not None]
    left = [k for k in first if k not in kept]
    if first and not [k for k in kept if k not in label_names(kept, labelled)]:
        raise InvalidInput(
            f"No column of the data set holds numbers: {data.column_names}.",
            "Tokenize texts first: data.map(lambda rows: tokenizer(rows['text']), batched=True).",
        )
    notes = (f"Columns left out, since they hold no numbers: {', '.join(left)}.",) if left else ()
    return Columns(data.with_format("torch", columns=kept), padding, labelled, apart), notes


def text_column(data: Any, name: str) -> list[Any]:
    """The first 256 labels of a column, where they are text; else nothing.

    Parameters
    ----------
    data : data set or mapping
        The samples, by columns.
    name : str
        The column.
    """
    some = data.select_columns([name]).with_format(None)[:_LOOKED][name]
    return list(some) if first_text(some) is not None else []


class _Rows(Dataset[Any]):
    """Named lists, such as a tokenizer makes, as a data set of named items."""

    def __init__(self, columns: Mapping[str, Sequence[Any]]) -> None:
        self.columns = columns

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def __getitem__(self, row: int) -> dict[str, Any]:
        return {k: v[row] for k, v in self.columns.items()}
