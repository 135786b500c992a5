"""Rotary positions, as Llama and Qwen turn queries and keys."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["rotated"]


def rotated(u: Tensor, rotary: tuple[Tensor, Tensor]) -> Tensor:
    """Vectors turned by their positions: the two halves of a head are a plane each.

    Parameters
    ----------
    u : Tensor of shape (b, t, h, n)
        Queries or keys.
    rotary : tuple of Tensor of shape (b, t, n)
        Cosines and sines.
    """
    cos, sin = (r[:, :, None].to(u.dtype) for r in rotary)
    first, second = u.chunk(2, -1)
    return torch.addcmul(u * cos, torch.cat([-second, first], -1), sin)
