"""The gated delta rule in chunks and in steps."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["chunked_delta", "delta_step", "stepwise_delta"]


def delta_step(
    v: Tensor, k: Tensor, q: Tensor, log_decay: Tensor, beta: Tensor, state: Tensor
) -> tuple[Tensor, Tensor]:
    """S = a S; S += k (beta (v - S' k))'; y = S' q: what stood at k is replaced by v.

    Parameters
    ----------
    v : Tensor of shape (b, h, p)
        Values.
    k, q : Tensor of shape (b, h, n)
        Keys of length 1, and queries.
    log_decay, beta : Tensor of shape (b, h)
        Logarithm of the decay; how much is replaced, between 0 and 1.
    state : Tensor of shape (b, h, n, p)
        The state before the token.
    """
    state = log_decay.exp()[..., None, None] * state
    missing = v - (k[..., None, :] @ state).squeeze(-2)
    state = torch.addcmul(state, k[..., :, None], (beta[..., None] * missing)[..., None, :])
    return (q[..., None, :] @ state).squeeze(-2), state


def stepwise_delta(
    v: Tensor, k: Tensor, q: Tensor, log_decay: Tensor, beta: Tensor, state: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """The rule token by token, which the chunks are tested against.

    Parameters
    ----------
    v, k, q : Tensor of shape (b, t, h, .)
        Values, keys, queries.
    log_decay, beta : Tensor of shape (b, t, h)
        As in `delta_step`.
    state : Tensor, optional
        The state before the first token.
    """
    if state is None:
        state = v.new_zeros(v.shape[0], v.shape[2], k.shape[-1], v.shape[-1])
    outputs = []
    for t in range(v.shape[1]):
        y, state = delta_step(v[:, t], k[:, t], q[:, t], log_decay[:, t], beta[:, t], state)
        outputs.append(y)
    return torch.stack(outputs, 1), state


def chunked_delta(
    v: Tensor,
    k: Tensor,
    q: Tensor,
    log_decay: Tensor,
    beta: Tensor,
    state: Tensor | None = None,
    *,
    segments: Tensor | None = None,
    chunk: int = 16,
) -> tuple[Tensor, Tensor]:
    """The rule for training: within a chunk the replaced values solve a triangular system.

    Gated DeltaNet (arXiv 2412.06464): with L_ij = beta_i k_i.k_j a_i / a_j below the
    diagonal, the values that are written are (I + L)^-1 beta (v - a S' k).

    Parameters
    ----------
    v, k, q, log_decay, beta : Tensor
        As in `stepwise_delta`.
    state : Tensor of shape (b, h, n, p), optional
        The state before the first token; it belongs to the first token's segment.
    segments : Tensor of shape (b, t), int64, optional
        The sequence of each token.
    chunk : int
        Tokens in a chunk.

    Returns
    -------
    tuple of Tensor
        Outputs (b, t, h, p) and the state after the last token (b, h, n, p).
    """
    (b, t, h, _), size = v.shape, min(chunk, v.shape[1])
    more = -t % size
    if more:
        v, k, q = (F.pad(x, (0, 0, 0, 0, 0, more)) for x in (v, k, q))
        log_decay, beta = (F.pad(x, (0, 0, 0, more)) for x in (log_decay, beta))
    v, k, q, log_decay, beta = (_chunks(x, size) for x in (v, k, q, log_decay, beta))
    cumulated = log_decay.cumsum(-1)  # (c, b h, l)
    future = torch.ones(size, size, dtype=torch.bool, device=v.device).triu(1)
    gaps = (cumulated[..., :, None] - cumulated[..., None, :]).masked_fill(future, -torch.inf)
    decays, from_start = gaps.exp(), cumulated.exp()
    to_end, whole = (cumulated[..., -1:] - cumulated).exp(), cumulated[..., -1].exp()
    if segments is not None:
        of = torch.cat([segments, segments[:, -1:].expand(-1, more)], 1)
        of = torch.unflatten(of.repeat_interleave(h, 0), 1, (-1, size)).transpose(0, 1)
        ends = torch.cat([of[:1, :, 0], of[:, :, -1]])  # (c + 1, b h)
        decays = decays * (of[..., :, None] == of[..., None, :])
        from_start = from_start * (of == ends[:-1, :, None])
        to_end = to_end * (of == ends[1:, :, None])
        whole = whole * (ends[1:] == ends[:-1])
    weighted = k * beta[..., None]
    sides = torch.cat([v * beta[..., None], weighted * from_start[..., None]], -1)
    # Only what is below the diagonal is read: no identity is added, nothing masked.
    system = (weighted @ k.mT) * decays
    exact = torch.promote_types(system.dtype, torch.float32)  # LAPACK has no half precision
    solved = torch.linalg.solve_triangular(
        system.to(exact), sides.to(exact), upper=False, unitriangular=True
    ).to(v.dtype)
    own, erased = torch.split(solved, [v.shape[-1], k.shape[-1]], -1)
    writes = (k * to_end[..., None]).mT
    if state is None:
        state = v.new_zeros(b, h, k.shape[-1], v.shape[-1])
    state = state.flatten(0, 1)
    # Unbound once: a slice in the loop would cost a tensor of zeros each in the backward pass. What
    # needs no later state is outside of the loop, as one product of all chunks.
    before, values = [], []
    chunks = zip(*(x.unbind() for x in (own, erased, writes, whole)), strict=True)
    for own_c, erased_c, writes_c, whole_c in chunks:
        before.append(state)
        values.append(torch.baddbmm(own_c, erased_c, state, alpha=-1))
        state = torch.baddbmm(whole_c[:, None, None] * state, writes_c, values[-1])
    y = (q * from_start[..., None]) @ torch.stack(before)
    y = torch.unflatten(y + ((q @ k.mT) * decays) @ torch.stack(values), 1, (b, h))
    return y.permute(1, 0, 3, 2, 4).flatten(1, 2)[:, :t], torch.unflatten(state, 0, (b, h))


def _chunks(values: Tensor, size: int) -> Tensor:
    """(b, t, h, ...) to (c, b h, size, ...): a chunk of all heads is one contiguous piece."""
    split = torch.unflatten(values, 1, (-1, size)).movedim(1, 0).movedim(3, 2)
    return split.flatten(1, 2)
