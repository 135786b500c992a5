"""Softmax over the last few tokens, in blocks, without a matrix of all pairs."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["padded_front", "window_sums"]


def window_sums(
    query: Tensor, keys: Tensor, values: Tensor, there: Tensor, of: Tensor
) -> tuple[Tensor, Tensor]:
    """Sums over each token's window of exp(q.k - largest) v, and of exp(q.k - largest).

    Parameters
    ----------
    query : Tensor of shape (b, t, h, n)
        Queries, scaled.
    keys, values : Tensor of shape (b, w + t, h, n)
        Those of the tokens, with those of the w tokens before them in front; a window holds w
        tokens, the token itself last.
    there : Tensor of shape (b, w + t), bool
        Which keys there are.
    of : Tensor of shape (b, w + t), int64
        The sequence of each.

    Returns
    -------
    tuple of Tensor
        (b, t, h, n) and (b, t, h, 1).
    """
    t, w = query.shape[1], keys.shape[1] - query.shape[1]
    block = min(w, t)
    more = -t % block
    if more:
        query, keys, values = (F.pad(x, (0, 0, 0, 0, 0, more)) for x in (query, keys, values))
        there, of = F.pad(there, (0, more)), F.pad(of, (0, more))
    q = torch.unflatten(query, 1, (-1, block)).transpose(2, 3)  # (b, c, h, block, n)
    k, v = (x.unfold(1, block + w, block).mT for x in (keys, values))  # (b, c, h, block + w, n)
    here, seq = (x.unfold(1, block + w, block) for x in (there, of))  # (b, c, block + w)
    own = torch.unflatten(of[:, w:], 1, (-1, block))  # (b, c, block)
    back = torch.arange(block + w, device=q.device) - torch.arange(block, device=q.device)[:, None]
    seen = (back >= 1) & (back <= w) & here[:, :, None] & (seq[:, :, None] == own[..., None])
    scores = (q @ k.mT).masked_fill(~seen[:, :, None], -torch.inf)
    largest = scores.amax(-1, keepdim=True).clamp_min(torch.finfo(scores.dtype).min)
    scores = (scores - largest.detach()).exp()
    sums = torch.cat([scores @ v, scores.sum(-1, keepdim=True)], -1)
    sums = sums.transpose(2, 3).flatten(1, 2)[:, :t]
    return sums[..., :-1], sums[..., -1:]


def padded_front(values: Tensor, more: int, past: Tensor | None) -> Tensor:
    """Earlier values in front, zeros where there are none.

    Parameters
    ----------
    values : Tensor of shape (b, t, ...)
        Values.
    more : int
        How many in front.
    past : Tensor of shape (b, more, ...), optional
        The earlier ones.
    """
    if past is not None:
        return torch.cat([past, values], 1)
    return F.pad(values, (*([0, 0] * (values.ndim - 2)), more, 0))
