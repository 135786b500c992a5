"""Tensors that hold whole numbers with scales, such as torchao's: their parts, and their bytes."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

__all__ = ["is_quantized", "pack_int4", "plain_tensors", "stored_bytes", "unpack_int4"]


def is_quantized(value: Tensor) -> bool:
    """Whether a tensor is made of whole numbers and scales, as torchao's are."""
    return "qdata" in _parts(value)


def plain_tensors(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A state in which every tensor that is made of others is given by these.

    Parameters
    ----------
    state : mapping of str to Tensor
        As of ``state_dict()``. A quantized weight ``w`` becomes ``w.qdata``, ``w.scale`` and
        ``w.zero_point``.
    """
    out: dict[str, Tensor] = {}
    for name, value in state.items():
        parts = _parts(value)
        out |= {f"{name}.{n}": p for n, p in parts.items()} if parts else {name: value}
    return out


def stored_bytes(value: Tensor) -> int:
    """Bytes that a tensor takes, of a quantized one those of its parts."""
    parts = _parts(value).values() or [value]
    return sum(p.numel() * p.element_size() for p in parts)


def pack_int4(values: Tensor) -> Tensor:
    """Numbers from -8 to 7, two in a byte: the first in the low half.

    Parameters
    ----------
    values : Tensor of int8
        Of any shape; an odd one out is filled up with 0.
    """
    flat = values.reshape(-1)
    if len(flat) % 2:
        flat = torch.cat([flat, flat.new_zeros(1)])
    low, high = (flat.to(torch.int16) & 15).reshape(-1, 2).unbind(1)
    return (low | (high << 4)).to(torch.uint8)


def unpack_int4(packed: Tensor, shape: torch.Size) -> Tensor:
    """What `pack_int4` packed.

    Parameters
    ----------
    packed : Tensor of uint8
        Two numbers in a byte.
    shape : torch.Size
        Of the numbers.
    """
    wide = packed.to(torch.int16)
    both = torch.stack([wide & 15, wide >> 4], 1).reshape(-1)[: shape.numel()]
    return torch.where(both > 7, both - 16, both).to(torch.int8).reshape(shape)


def _parts(value: Tensor) -> dict[str, Tensor]:
    """The tensors that a tensor is made of, by their attributes; none of a plain one."""
    flatten = getattr(value, "__tensor_flatten__", None)  # torch's protocol for subclasses
    if flatten is None:
        return {}
    return {name: part for name in flatten()[0] if (part := getattr(value, name)) is not None}
