"""The recurrence S_t = a_t S_{t-1} + B_t x_t', y_t = S_t' C_t, in three forms that agree.

The state space duality of Mamba-2 (arXiv 2405.21060): a masked matrix for
short sequences, a step for generation, and chunks in between that use the matrix inside and the
state across.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["chunked_scan", "masked_matrix", "scan_step", "stepwise_scan"]


def masked_matrix(x: Tensor, B: Tensor, C: Tensor, log_decay: Tensor) -> Tensor:
    """Y = M x with M_ij = C_i . B_j exp(sum of log_decay over j < k <= i) for i >= j, else 0.

    Parameters
    ----------
    x : Tensor of shape (b, t, h, p)
        What is written to the state.
    B, C : Tensor of shape (b, t, h, n)
        Where it is written, and what is read.
    log_decay : Tensor of shape (b, t, h)
        Logarithms of a_t, at most 0.

    Returns
    -------
    Tensor of shape (b, t, h, p)
    """
    cumulated = log_decay.transpose(1, 2).cumsum(-1)  # (b, h, t)
    scores = torch.einsum("bihn,bjhn->bhij", C, B) * _decays(cumulated)
    return torch.einsum("bhij,bjhp->bihp", scores, x)


def scan_step(
    x: Tensor, B: Tensor, C: Tensor, log_decay: Tensor, state: Tensor
) -> tuple[Tensor, Tensor]:
    """One token: the output (b, h, p) and the new state (b, h, n, p).

    Parameters
    ----------
    x : Tensor of shape (b, h, p)
        What is written.
    B, C : Tensor of shape (b, h, n)
        Where, and what is read.
    log_decay : Tensor of shape (b, h)
        Logarithm of the decay.
    state : Tensor of shape (b, h, n, p)
        The state before the token.
    """
    kept = log_decay.exp()[..., None, None] * state
    state = torch.addcmul(kept, B[..., :, None], x[..., None, :])
    return (C[..., None, :] @ state).squeeze(-2), state


def stepwise_scan(
    x: Tensor, B: Tensor, C: Tensor, log_decay: Tensor, state: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """The recurrence token by token, which the other forms are tested against.

    Parameters
    ----------
    x, B, C, log_decay : Tensor
        As in `masked_matrix`.
    state : Tensor of shape (b, h, n, p), optional
        The state before the first token; zeros by default.
    """
    state = _zeros(x, B) if state is None else state
    outputs = []
    for t in range(x.shape[1]):
        y, state = scan_step(x[:, t], B[:, t], C[:, t], log_decay[:, t], state)
        outputs.append(y)
    return torch.stack(outputs, 1), state


def chunked_scan(
    x: Tensor,
    B: Tensor,
    C: Tensor,
    log_decay: Tensor,
    state: Tensor | None = None,
    *,
    segments: Tensor | None = None,
    written: Tensor | None = None,
    chunk: int = 64,
) -> tuple[Tensor, Tensor]:
    """The recurrence for training: the matrix within chunks, the state from chunk to chunk.

    Parameters
    ----------
    x, B, C, log_decay : Tensor
        As in `masked_matrix`.
    state : Tensor of shape (b, h, n, p), optional
        The state before the first token; it belongs to the first token's segment.
    segments : Tensor of shape (b, t), int64, optional
        The sequence of each token that reads; a state is seen only in its own sequence.
    written : Tensor of shape (b, t), int64, optional
        The sequence of what is written, where writing is delayed; ``segments`` by default.
    chunk : int
        Tokens in a chunk.

    Returns
    -------
    tuple of Tensor
        Outputs (b, t, h, p) and the state after the last token (b, h, n, p).
    """
    t = x.shape[1]
    size = min(chunk, t)
    more = -t % size
    if more:  # what is written there is 0, and decays by 1
        x, B, C = (F.pad(v, (0, 0, 0, 0, 0, more)) for v in (x, B, C))
        log_decay = F.pad(log_decay, (0, 0, 0, more))
    x, B, C = (_chunks(v, size) for v in (x, B, C))  # (b, c, h, l, .)
    cumulated = _chunks(log_decay[..., None], size).squeeze(-1).cumsum(-1)  # (b, c, h, l)
    decays = _decays(cumulated)
    to_end = (cumulated[..., -1:] - cumulated).exp()
    whole, from_start = cumulated[..., -1].exp(), cumulated.exp()
    if segments is not None:
        read, wrote = (
            _padded(segments, more, size),
            _padded(segments if written is None else written, more, size),
        )  # (b, c, l)
        ends = torch.cat([read[:, :1, :1].squeeze(-1), read[:, :, -1]], 1)  # (b, c + 1)
        same = (read[..., :, None] == wrote[..., None, :])[:, :, None]
        decays = decays * same
        to_end = to_end * (wrote == ends[:, 1:, None])[:, :, None]
        whole = whole * (ends[:, 1:] == ends[:, :-1])[..., None]
        from_start = from_start * (read == ends[:, :-1, None])[:, :, None]
    y = ((C @ B.mT) * decays) @ x
    added = (B * to_end[..., None]).mT @ x  # (b, c, h, n, p)
    state = x.new_zeros(added[:, 0].shape) if state is None else state
    before = []
    for c in range(added.shape[1]):
        before.append(state)
        state = whole[:, c, :, None, None] * state + added[:, c]
    y = y + (C * from_start[..., None]) @ torch.stack(before, 1)
    return y.transpose(2, 3).flatten(1, 2)[:, :t], state


def _decays(cumulated: Tensor) -> Tensor:
    """exp(c_i - c_j) for i >= j, else 0: (..., l) to (..., l, l)."""
    size = cumulated.shape[-1]
    future = torch.ones(size, size, dtype=torch.bool, device=cumulated.device).triu(1)
    gaps = cumulated[..., :, None] - cumulated[..., None, :]
    return gaps.masked_fill(future, -torch.inf).exp()


def _chunks(values: Tensor, size: int) -> Tensor:
    """(b, t, h, .) to (b, c, h, size, .)."""
    return torch.unflatten(values, 1, (-1, size)).transpose(2, 3)


def _padded(segments: Tensor, more: int, size: int) -> Tensor:
    if more:
        segments = torch.cat([segments, segments[:, -1:].expand(-1, more)], 1)
    return torch.unflatten(segments, 1, (-1, size))


def _zeros(x: Tensor, B: Tensor) -> Tensor:
    return x.new_zeros(x.shape[0], x.shape[2], B.shape[-1], x.shape[-1])
