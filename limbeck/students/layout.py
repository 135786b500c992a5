"""Inputs of any shape as rows of a table, and back: what certificates of networks are kept in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from limbeck.errors import FileRefused, InvalidInput
from limbeck.features import Feature, Features

__all__ = ["Block", "Layout"]


@dataclass(frozen=True)
class Block:
    """One input: its name, the shape of a row, and its dtype."""

    name: str
    shape: tuple[int, ...]
    dtype: str

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
        """The layout of these inputs, each of shape (n, ...)."""
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

    def to_list(self) -> list[list[Any]]:
        """The blocks, ready for JSON."""
        return [[b.name, list(b.shape), b.dtype] for b in self.blocks]

    @classmethod
    def from_list(cls, data: Any) -> Self:
        """Read what `to_list` gave.

        Raises
        ------
        FileRefused
            If it is malformed.
        """
        try:
            blocks = tuple(Block(str(n), tuple(map(int, s)), str(np.dtype(t))) for n, s, t in data)
        except (TypeError, ValueError):
            raise FileRefused(f"{data!r} is no layout of inputs.", "Export it again.") from None
        return cls(blocks)
