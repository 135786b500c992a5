"""Which tokens of a batch count, and which of them belong to one sequence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

__all__ = ["ROW_DEFAULTS", "TokenRows", "kept_values", "rows_from"]


@dataclass(frozen=True, eq=False)
class TokenRows:
    """What a mixer knows about the tokens of a batch beside their vectors.

    Parameters
    ----------
    keep : Tensor of shape (b, t), bool, optional
        False for padding, which neither enters the state nor makes it decay.
    segments : Tensor of shape (b, t), int64, optional
        Tokens with the same number are one sequence: nothing passes from one to the next. Numbers
        never fall from left to right.
    rotary : tuple of Tensor of shape (b, t, n), optional
        Cosines and sines of rotary positions, for mixers that keep them.
    """

    keep: Tensor | None = None
    segments: Tensor | None = None
    rotary: tuple[Tensor, Tensor] | None = None


ROW_DEFAULTS = TokenRows()
"""All tokens count, and each row is one sequence."""


def rows_from(
    length: int, attention_mask: Any = None, position_ids: Any = None, rotary: Any = None
) -> TokenRows:
    """Read what transformers calls a model with.

    Parameters
    ----------
    length : int
        Tokens of this call, t.
    attention_mask : Tensor of shape (b, s) or (b, 1, t, s), optional
        1 for tokens, 0 for padding, earlier tokens included: the last t columns are read. Of four
        dimensions, which keys the last query sees is read.
    position_ids : Tensor of shape (b, t), optional
        Where they do not go on by one a new sequence starts (packing).
    rotary : tuple of Tensor, optional
        Cosines and sines.
    """
    keep = None
    if isinstance(attention_mask, Tensor):
        mask = attention_mask
        if mask.ndim == 4:
            last = mask[:, 0, -1, :]
            mask = last if last.dtype == torch.bool else last >= 0
        keep = mask[:, -length:].bool()
        if length == 1 and bool(keep.all()):  # a token of generation: asked once, for all layers
            keep = None
    segments = None
    if isinstance(position_ids, Tensor) and position_ids.ndim == 2 and length > 1:
        fresh = position_ids[:, 1:] != position_ids[:, :-1] + 1
        if keep is not None:
            fresh = fresh & keep[:, 1:] & keep[:, :-1]  # padding starts nothing
        if bool(fresh.any()):
            start = fresh.new_zeros(fresh.shape[0], 1)
            segments = torch.cat([start, fresh], 1).long().cumsum(1)
            if keep is not None:
                segments = segments.expand(keep.shape[0], -1)
    return TokenRows(keep, segments, rotary)


def kept_values(values: Tensor, rows: TokenRows) -> Tensor:
    """Values (b, t, ...) with 0 where there is padding.

    Parameters
    ----------
    values : Tensor of shape (b, t, ...)
        A number or more for each token.
    rows : TokenRows
        Which of them count.
    """
    if rows.keep is None:
        return values
    shape = (*rows.keep.shape, *([1] * (values.ndim - 2)))
    return values * rows.keep.view(shape).to(values.dtype)
