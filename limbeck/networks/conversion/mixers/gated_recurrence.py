"""A gated recurrence like Mamba-2's, which can start as near to attention as a recurrence can."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limbeck.networks.conversion.mixers.base import (
    AttentionParts,
    MixerState,
    Start,
    per_head,
)
from limbeck.networks.conversion.mixers.recurrent_heads import RecurrentHeads
from limbeck.networks.conversion.mixers.rows import TokenRows, kept_values
from limbeck.networks.conversion.mixers.scan import chunked_scan, scan_step

__all__ = ["GatedRecurrence"]

_SOFTPLUS_IS_ONE = math.log(math.e - 1.0)


class GatedRecurrence(RecurrentHeads):
    """S_t = exp(A dt_t) S_{t-1} + dt_t B_t x_t', y_t = S_t' C_t + D x_t, gated and normed per head.

    Mamba-2's layer (arXiv 2405.21060) with the weights of attention as in Mamba in the Llama (arXiv
    2408.15237). As published, convolution, gate and step size start at random, and the first
    outputs have little to do with the attention that was copied. The neutral start keeps it: the
    convolution is the identity and has no SiLU, gate and step size are 1, decay is slow, D is 0,
    queries stay divided by sqrt(head_dim), and outputs are normed per head.

    Parameters
    ----------
    parts : AttentionParts
        The attention layer.
    start : {"neutral", "published", "random"}
        ``random`` is the neutral layer with projections at random.
    convolution : int
        Width of the convolution.
    rotary : bool
        Turn keys and queries by their positions where the attention did, except in the published
        start, which leaves positions out.
    chunk : int
        Tokens of a chunk in training.
    """

    def __init__(
        self,
        parts: AttentionParts,
        start: Start = "neutral",
        *,
        convolution: int = 4,
        rotary: bool = True,
        chunk: int = 64,
    ) -> None:
        super().__init__(parts, start, convolution, rotary, chunk)
        self.scaling = 1.0 if self.published else parts.scaling
        self.step_proj = nn.Linear(self.width, self.heads)
        self.D = nn.Parameter(torch.full((self.heads,), float(self.published)))
        if self.published:  # dt log-uniform in [0.001, 0.1]
            ends = math.log(0.001), math.log(0.1)
            step = torch.empty(self.heads).uniform_(*ends).exp()
            with torch.no_grad():  # softplus gives step
                self.step_proj.bias.copy_(step + torch.log(-torch.expm1(-step)))
        self._start_new({self.step_proj: _SOFTPLUS_IS_ONE})

    def heads_out(
        self, hidden: Tensor, rows: TokenRows, state: MixerState | None
    ) -> tuple[Tensor, MixerState]:
        """What the heads return and the state; see `Mixer.heads_out`.

        Parameters
        ----------
        hidden, rows, state
            As there.
        """
        x, B, C, past = self._read(hidden, rows, state)
        step = kept_values(F.softplus(self.step_proj(hidden)), rows)  # padding writes nothing
        log_decay = -self.A_log.exp() * step  # (b, t, h)
        written, C = x * step[..., None], C * self.scaling
        memory = None if state is None else state["memory"]
        if hidden.shape[1] == 1 and memory is not None:
            y, memory = scan_step(written[:, 0], B[:, 0], C[:, 0], log_decay[:, 0], memory)
            y = y[:, None]
        else:
            y, memory = chunked_scan(
                written, B, C, log_decay, memory, segments=rows.segments, chunk=self.chunk
            )
        y = torch.addcmul(y, self.D[:, None], x)
        return self._gated(y, hidden), {"memory": memory, "convolution": past}

    def _gated(self, y: Tensor, hidden: Tensor) -> Tensor:
        """The published layer gates before its norm, the neutral one after it."""
        gate = per_head(F.silu(self.gate_proj(hidden)), self.head_dim)
        if self.published:
            y = y * gate
        y = self._normed(y)
        return y if self.published else y * gate
