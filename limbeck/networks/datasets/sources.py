"""Where samples are: in arrays, in a data set of items, or in columns on disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from limbeck.networks.datasets.collate import Padding, split
from limbeck.networks.datasets.seeding import mixed, restored, seed_all, state

__all__ = ["Arrays", "Columns", "Items", "Source"]


class Source(Protocol):
    """Samples by place; what is drawn for a place is a function of (seed, place, view)."""

    def __len__(self) -> int: ...
    def fetch(self, rows: Tensor, seed: int, view: int) -> tuple[Any, Tensor | None]:
        """Inputs and labels of a batch; ``rows`` (n,) int64 on the CPU.

        Parameters
        ----------
        rows : Tensor of int64, shape (n,)
            Positions of the samples.
        seed : int
            The seed of augmentations.
        view : int
            Which augmented view of the samples.
        """
        ...


@dataclass(frozen=True, eq=False)
class Arrays:
    """Tensors and numpy arrays, read by whole batches.

    ``inputs`` is an array, or a tuple or mapping of arrays; ``rows`` picks some of them.
    """

    inputs: Any
    labels: Any = None
    rows: Tensor | None = None

    def __len__(self) -> int:
        return len(_first(self.inputs)) if self.rows is None else len(self.rows)

    def all(self) -> Any:
        """The inputs of all samples."""
        return self.fetch(torch.arange(len(self)), 0, 0)[0]

    def fetch(self, rows: Tensor, seed: int, view: int) -> tuple[Any, Tensor | None]:
        """See `Source`.

        Parameters
        ----------
        rows, seed, view
            As in `Source.fetch`.
        """
        if self.rows is not None:
            rows = self.rows[rows]
        if isinstance(self.inputs, Mapping):
            inputs: Any = {k: _taken(v, rows) for k, v in self.inputs.items()}
        elif isinstance(self.inputs, tuple):
            inputs = tuple(_taken(v, rows) for v in self.inputs)
        else:
            inputs = _taken(self.inputs, rows)
        return inputs, None if self.labels is None else _taken(self.labels, rows)


@dataclass(frozen=True, eq=False)
class Items:
    """A map-style data set, whose items are drawn one by one and collated.

    ``rows`` picks some of them. Before each item torch's, numpy's and Python's global generators
    are seeded by (seed, place in the data set, view); afterwards they are as before. So an
    augmentation that draws from them is the same for the same sample and view, in any order and in
    any worker.
    """

    dataset: Any
    collate: Callable[[Sequence[Any]], Any]
    labelled: bool = True
    labels: Any = None
    rows: Tensor | None = None

    def __len__(self) -> int:
        return len(self.dataset) if self.rows is None else len(self.rows)

    def fetch(self, rows: Tensor, seed: int, view: int) -> tuple[Any, Tensor | None]:
        """See `Source`.

        Parameters
        ----------
        rows, seed, view
            As in `Source.fetch`.
        """
        rows = rows if self.rows is None else self.rows[rows]
        places = rows.tolist()
        start = mixed(seed, view)
        with restored():
            items = []
            for place in places:
                seed_all(mixed(start ^ place))
                items.append(self.dataset[place])
            seed_all(mixed(start, places[0]))
            batch = self.collate(items)
        inputs, labels = split(batch, self.labelled and self.labels is None)
        return inputs, _taken(self.labels, rows) if self.labels is not None else labels

    def draws(self, place: int, seed: int) -> tuple[bool, bool]:
        """Whether the item, and whether the collation, used a global generator.

        Parameters
        ----------
        place : int
            Position of the item.
        seed : int
            The seed set before it is drawn.
        """
        with restored():
            seed_all(seed)
            start = state()
            item = self.dataset[place if self.rows is None else int(self.rows[place])]
            middle = state()
            self.collate([item])
            return middle != start, state() != middle


@dataclass(frozen=True, eq=False)
class Columns:
    """A Hugging Face data set in torch format, read by whole batches; ``rows`` picks some rows."""

    dataset: Any
    collate: Padding
    labelled: bool = True
    labels: Any = None
    rows: Tensor | None = None

    def __len__(self) -> int:
        return len(self.dataset) if self.rows is None else len(self.rows)

    def fetch(self, rows: Tensor, seed: int, view: int) -> tuple[Any, Tensor | None]:
        """See `Source`.

        Parameters
        ----------
        rows, seed, view
            As in `Source.fetch`.
        """
        rows = rows if self.rows is None else self.rows[rows]
        batch = self.collate.columns(self.dataset[rows.tolist()])
        inputs, labels = split(batch, self.labelled and self.labels is None)
        return inputs, _taken(self.labels, rows) if self.labels is not None else labels


def _first(inputs: Any) -> Any:
    if isinstance(inputs, Mapping):
        return next(iter(inputs.values()))
    return inputs[0] if isinstance(inputs, tuple) else inputs


def _taken(array: Any, rows: Tensor) -> Tensor:
    """Rows of a tensor or numpy array, as a tensor of its own."""
    if isinstance(array, Tensor):
        return array.index_select(0, rows.to(array.device))
    taken = np.take(array, rows.numpy(), axis=0)
    if taken.dtype == np.float64:
        return torch.from_numpy(taken).to(torch.get_default_dtype())
    return torch.from_numpy(taken)
