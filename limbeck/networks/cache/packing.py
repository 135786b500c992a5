"""Per-token outputs, stored unpadded: the same rows for the same sample in any batch.

The answer at every token that the attention mask shows lies at the token's rank among those of its
sample, and rows are as long as the longest sample. So it does not matter on which side, and how
far, a batch is padded. On disk each sample has a slot sized for the longest
sequence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from limbeck.core.errors import InvalidInput
from limbeck.networks.datasets.batch import Batch
from limbeck.networks.datasets.data import Samples

__all__ = ["Packing", "extremes"]

_LIKE_LOGITS = ("values", "indices", "log_rest")


@dataclass(frozen=True)
class Packing:
    """Which axes of which arrays are tokens, and how many of them are kept.

    Parameters
    ----------
    length : int
        Tokens of the longest sample.
    axes : mapping of tuple of int
        By array: the axes of a batch's answers that are as long as its attention mask.
    """

    length: int
    axes: Mapping[str, tuple[int, ...]]

    @classmethod
    def of(
        cls, length: int, short: tuple[int, Mapping[str, Tensor]],
        long: tuple[int, Mapping[str, Tensor]],
    ) -> Self:  # fmt: skip
        """Find the axes from answers to two batches of other widths: those that follow the width.

        Parameters
        ----------
        length : int
            Tokens of the longest sample.
        short, long : (int, mapping of Tensor)
            The width of a batch, and the answers to it.

        Raises
        ------
        InvalidInput
            If an axis changes otherwise.
        """
        axes = {}
        for name, one in short[1].items():
            two = long[1][name]
            pairs = list(zip(one.shape[1:], two.shape[1:], strict=True))
            follow = tuple(i for i, p in enumerate(pairs, 1) if p == (short[0], long[0]))
            if any(a != b for i, (a, b) in enumerate(pairs, 1) if i not in follow):
                raise InvalidInput(
                    f"Outputs have shape {tuple(one.shape[1:])} for {short[0]} tokens and"
                    f" {tuple(two.shape[1:])} for {long[0]}.",
                    "Only axes as long as the attention mask may change: pad sequences to one"
                    " length with Samples.of(..., length=...), or train without a cache.",
                )
            axes[name] = follow
        return cls(length, axes)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any] | None) -> Self | None:
        """From the head of a cache file."""
        if data is None:
            return None
        return cls(data["length"], {k: tuple(v) for k, v in data["axes"].items()})

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return asdict(self)

    def pack(self, name: str, x: NDArray[Any], mask: Tensor) -> NDArray[Any]:
        """Answers to a batch, (n, ..., t, ...), in their places: (n, ..., length, ...).

        Parameters
        ----------
        name : str
            Of the array.
        x : ndarray
            What is beyond the tokens of a sample is of no meaning, before and afterwards.
        mask : Tensor of shape (n, t)
            The batch's attention mask.

        Raises
        ------
        InvalidInput
            If a sample is longer than all were.
        """
        there = _there(mask)
        if (most := int(there.sum(1).max())) > self.length:
            raise InvalidInput(
                f"A sample has {most} tokens, and the longest had {self.length}.",
                "The data changed while the cache was filled: fill it again with again=True.",
            )
        order = np.argsort(~there, axis=1, kind="stable")[:, : self.length]
        for axis in self._axes(name):
            x = _along(x, order, axis)
            beyond = [(0, 0)] * x.ndim
            beyond[axis] = (0, self.length - x.shape[axis])
            x = np.pad(x, beyond, mode="edge")
        return x

    def unpack(self, name: str, x: NDArray[Any], mask: Tensor) -> NDArray[Any]:
        """What `pack` kept, for another batch of the same samples, with its attention mask.

        Parameters
        ----------
        name : str
            The array.
        x : ndarray
            What `pack` stored.
        mask : Tensor of shape (n, t)
            The attention mask of the batch.
        """
        rank = (_there(mask).cumsum(1) - 1).clip(0, self.length - 1)
        for axis in self._axes(name):
            x = _along(x, rank, axis)
        return x

    def _axes(self, name: str) -> tuple[int, ...]:
        return self.axes.get("logits" if name in _LIKE_LOGITS else name, ())


def extremes(
    samples: Samples, seed: int, views: int, fetch: Callable[..., Batch]
) -> tuple[int, Batch, Batch, Batch] | None:
    """Samples of fewest and of most tokens; None where all batches are of one width.

    Every sample is drawn once for each view.

    Parameters
    ----------
    samples : Samples
        All of them.
    seed, views : int
        Which augmentations there are.
    fetch : callable
        As `Samples.fetch`.

    Returns
    -------
    length : int
        The most tokens.
    short, long, together : Batch
        Each of the two alone, and the shorter with the longer one in one batch.
    """
    if fetch([0], seed=seed).mask is None:
        return None
    found: list[tuple[int, int, int]] = []  # tokens, view, place
    for view in range(views):
        for batch in samples.batches(range(len(samples)), 512, seed=seed, view=view):
            if batch.mask is None or batch.mask.ndim != 2:
                return None
            counts = batch.mask.bool().sum(1).tolist()
            found += [(c, view, int(i)) for c, i in zip(counts, batch.index, strict=True)]
            found = [min(found), max(found)]
    (_, view, short), (length, other, long) = found
    one = fetch([short], seed=seed, view=view)
    two = fetch([long], seed=seed, view=other)
    if one.mask is None or two.mask is None or one.mask.shape == two.mask.shape:
        return None
    return length, one, two, fetch([short, long], seed=seed, view=view)


def _there(mask: Tensor) -> NDArray[np.bool_]:
    return np.asarray(mask.bool().cpu().numpy())


def _along(x: NDArray[Any], where: NDArray[np.int64], axis: int) -> NDArray[Any]:
    """Entries of an axis, by places (n, m) that differ from row to row."""
    shape = [len(where), *[1] * (x.ndim - 1)]
    shape[axis] = where.shape[1]
    return np.take_along_axis(x, where.reshape(shape), axis)
