"""A number for each input as a network gets it, by which stored answers know their question."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from limbeck.modules.batch import MASK

__all__ = ["TOLERANCE", "marks"]

TOLERANCE = 1e-4
"""Two marks are the same within this share of the input's norm: kernels round differently."""

_READ = 256  # entries of a row that are read


def marks(inputs: Any) -> tuple[Tensor, Tensor]:
    """A projection of each row on a fixed random direction, and the row's norm.

    At most 256 entries of each tensor of a row are read: all of them, or as many at random places
    that depend on the row's size only; of a named sequence the first. Integers are scrambled
    first, so that neighbouring tokens differ. What an attention mask hides does not count, so that
    padding does not matter, on either side.

    Returns
    -------
    mark, norm : Tensor of shape (n,), float32
        Two different inputs have marks within `TOLERANCE` of the norm with a probability of about
        TOLERANCE, if they differ at a place that is read.
    """
    named = inputs if isinstance(inputs, Mapping) else {}
    mask = named.get(MASK)
    held = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    held = [named[k] for k in sorted(named) if k != MASK] if named else held
    order = None if mask is None or mask.ndim != 2 else _tokens_first(mask)
    total = square = torch.zeros(len(held[0]), device=held[0].device)
    for seed, x in enumerate(held):
        if mask is not None and x.ndim >= 2 and x.shape[:2] == mask.shape:
            x = x * mask.to(x.dtype).reshape(*mask.shape, *[1] * (x.ndim - 2))
            x = x if order is None else x[torch.arange(len(x), device=x.device)[:, None], order]
        sequence = bool(named) and x.ndim <= 3
        x = x.reshape(len(x), -1)
        where, weight = _direction(x.shape[1], seed, sequence, x.device)
        x = x[:, : len(weight)] if where is None else x.index_select(1, where)
        x = x.float() if x.is_floating_point() else _scrambled(x)
        x = torch.nan_to_num(x, posinf=1.0, neginf=-1.0)
        total = total + (x * weight[: x.shape[1]]).sum(1)
        square = square + (x * x).sum(1)
    return total, square.sqrt()


@lru_cache(maxsize=64)
def _direction(
    size: int, seed: int, first: bool, device: torch.device
) -> tuple[Tensor | None, Tensor]:
    """Places that are read (None for the first ones), and their weights, standard normal."""
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(_READ, generator=generator).to(device)
    if first or size <= _READ:
        return None, weight
    where = torch.randperm(size, generator=generator)[:_READ].sort().values
    return where.to(device), weight


def _tokens_first(mask: Tensor) -> Tensor | None:
    """Places (n, t) with those that the mask hides last; None where they are last already."""
    there = mask.bool()
    if not (there[:, 1:] & ~there[:, :-1]).any():
        return None
    return there.int().argsort(stable=True, dim=1, descending=True)


def _scrambled(x: Tensor) -> Tensor:
    """Integers as numbers in [0, 1) without order; 0 stays 0 (Knuth's multiplicative hash)."""
    return ((x.long() * 0x9E3779B1) & 0xFFFFFFFF).float() / 2.0**32
