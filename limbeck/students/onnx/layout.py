"""Inputs of any shape as rows of a table, and back: what certificates of networks are kept in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from limbeck.core.column import Feature
from limbeck.core.columns import Features
from limbeck.core.errors import FileRefused, InvalidInput
from limbeck.data.duplicates import ColumnKind

__all__ = ["Block", "Layout"]

_MASK = "attention_mask"
_MOST_COLUMNS = 100_000_000


@dataclass(frozen=True)
class Block:
    """One input: its name, the shape of a row, its dtype, and whether a network reads it."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    read: bool = True

    @property
    def width(self) -> int:
        """Columns in the table."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Layout:
    """How the inputs of a network lie side by side in a row.

    Parameters
    ----------
    blocks : tuple of Block
        The inputs in order.

    Examples
    --------
    >>> layout = Layout.of(["image"], [np.zeros((5, 3, 2, 2), np.float32)])
    >>> layout.rows([np.ones((4, 3, 2, 2), np.float32)]).shape
    (4, 12)
    >>> layout.inputs(np.ones((4, 12)))[0].shape
    (4, 3, 2, 2)
    """

    blocks: tuple[Block, ...]

    @classmethod
    def of(cls, names: Sequence[str], inputs: Sequence[NDArray[Any]]) -> Self:
        """The layout of these inputs, each of shape (n, ...).

        Parameters
        ----------
        names : sequence of str
            Names of the inputs.
        inputs : sequence of ndarray of shape (n, ...)
            The inputs of n rows.
        """
        pairs = zip(names, inputs, strict=True)
        return cls(tuple(Block(n, x.shape[1:], str(x.dtype)) for n, x in pairs))

    @property
    def features(self) -> Features:
        """The columns of the table, numbers all of them."""
        names = (
            f"{b.name}[{','.join(map(str, np.unravel_index(j, b.shape)))}]" if b.shape else b.name
            for b in self.blocks
            for j in range(b.width)
        )
        return Features(tuple(map(Feature, names)))

    def rows(self, inputs: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
        """Inputs, each of shape (n, ...), as rows of shape (n, d); shorter ones end in zeros.

        Raises
        ------
        InvalidInput
            If an input is longer than the layout, or has other dimensions.
        """
        parts = []
        for block, x in zip(self.blocks, inputs, strict=True):
            if x.ndim != len(block.shape) + 1 or any(
                a > b for a, b in zip(x.shape[1:], block.shape, strict=True)
            ):
                raise InvalidInput(
                    f"{block.name} has shape {x.shape[1:]}, and {block.shape} was expected.",
                    "Give rows like those of the training.",
                )
            pad = [(0, 0), *((0, b - a) for a, b in zip(x.shape[1:], block.shape, strict=True))]
            parts.append(np.pad(x, pad).reshape(len(x), block.width).astype(np.float64))
        return np.concatenate(parts, axis=1)

    def inputs(self, rows: NDArray[np.float64]) -> list[NDArray[Any]]:
        """Rows of shape (n, d) as inputs, each of its own shape and dtype."""
        ends = np.cumsum([b.width for b in self.blocks])[:-1]
        parts = np.split(rows, ends, axis=1)
        return [
            p.reshape(len(rows), *b.shape).astype(b.dtype)
            for b, p in zip(self.blocks, parts, strict=True)
        ]

    def bare(self, rows: NDArray[np.float64], told: bool = False) -> NDArray[np.float64]:
        """The same inputs without what pads them, by which equal inputs are known as equal.

        What no network reads, such as the number of a row, is left out. Of inputs as long as
        ``attention_mask``, what it shows comes first and the rest is 0. For
        comparing only: a network may answer these rows otherwise.

        Parameters
        ----------
        rows : ndarray of shape (n, d)
            As from `rows`.
        told : bool
            Whether the last block is no input, but the teacher's answers: it is left out.
        """
        blocks = self.blocks[:-1] if told else self.blocks
        parts = self.inputs(rows)[: len(blocks)]
        mask = next((x for b, x in zip(blocks, parts, strict=True) if b.name == _MASK), None)
        if mask is not None and mask.ndim == 2:
            there = mask != 0
            order = np.argsort(~there, axis=1, kind="stable")
            there = np.take_along_axis(there, order, 1)
            parts = [_shown(x, there, order) if x.shape[1:2] == mask.shape[1:] else x
                     for x in parts]  # fmt: skip
        pairs = zip(blocks, parts, strict=True)
        flat = [x.reshape(len(rows), b.width) for b, x in pairs if b.read]
        return np.concatenate([x.astype(np.float64) for x in flat], axis=1)

    def kinds(self, told: bool = False) -> tuple[ColumnKind, ...]:
        """What the columns of `bare` hold, by which rows are compared.

        Whole numbers, such as tokens, are discrete; floating point numbers in rows of more than
        one dimension are signals or images; others are columns of a table.

        Parameters
        ----------
        told : bool
            As in `bare`.
        """
        out: list[ColumnKind] = []
        for b in self.blocks[:-1] if told else self.blocks:
            if b.read:
                numeric: ColumnKind = "signal" if len(b.shape) > 1 else "numeric"
                out += [numeric if "float" in b.dtype else "discrete"] * b.width
        return tuple(out)

    def to_list(self) -> list[list[Any]]:
        """The blocks, ready for JSON."""
        return [[b.name, list(b.shape), b.dtype, *([] if b.read else [False])] for b in self.blocks]

    @classmethod
    def from_list(cls, data: Any) -> Self:
        """Read what `to_list` gave.

        Raises
        ------
        FileRefused
            If it is malformed.
        """
        try:
            found = cls(tuple(_block(*given) for given in data))
            if not found.blocks or len({b.name for b in found.blocks}) < len(found.blocks):
                raise ValueError("it needs inputs of different names")
            if not 0 < sum(b.width for b in found.blocks) <= _MOST_COLUMNS:
                raise ValueError(f"it has not between 1 and {_MOST_COLUMNS:,} columns")
        except (TypeError, ValueError, SyntaxError) as error:
            raise FileRefused(
                f"{repr(data)[:80]} is no layout of inputs: {error}.", "Export it again."
            ) from None
        return found


def _block(name: str, shape: list[int], dtype: str, *read: bool) -> Block:
    if not isinstance(name, str) or not isinstance(dtype, str):
        raise TypeError("names and dtypes are text")
    if not all(type(side) is int and side > 0 for side in shape):
        raise ValueError(f"{shape} is no shape")
    kind = np.dtype(dtype)
    if kind.kind not in "biuf":
        raise ValueError(f"{dtype!r} is no dtype of inputs")
    return Block(name, tuple(shape), str(kind), all(read))


def _shown(x: NDArray[Any], there: NDArray[np.bool_], order: NDArray[np.int64]) -> NDArray[Any]:
    """Entries (n, t, ...) in an order (n, t), with 0 where nothing is there."""
    x = x[np.arange(len(x))[:, None], order]
    return np.where(there.reshape(*there.shape, *[1] * (x.ndim - 2)), x, np.zeros((), x.dtype))
