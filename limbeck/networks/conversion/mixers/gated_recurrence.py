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
from limbeck.networks.conversion.mixers.convolution import ShortConvolution
from limbeck.networks.conversion.mixers.recurrent_heads import RecurrentHeads
from limbeck.networks.conversion.mixers.rotary import rotated
from limbeck.networks.conversion.mixers.rows import TokenRows, kept_values
from limbeck.networks.conversion.mixers.scan import chunked_scan, scan_step

__all__ = ["GatedRecurrence"]

_SILU_IS_ONE = 1.2784645427610738  # silu(1.278...) = 1
_SOFTPLUS_IS_ONE = math.log(math.e - 1.0)
_SLOWEST, _FASTEST = 0.01, 0.3  # decay per token of the neutral start, over the heads


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
        super().__init__(parts, start)
        self.rotary = rotary and parts.rotary and start != "published"
        self.published, self.chunk = start == "published", chunk
        self.scaling = 1.0 if self.published else parts.scaling
        inner, narrow = self.heads * self.head_dim, self.kv_heads * self.head_dim
        self.narrow, self.inner = narrow, inner
        self.convolution = ShortConvolution(
            2 * narrow + inner, convolution, identity=not self.published
        )
        self.gate_proj = nn.Linear(self.width, inner, bias=not self.published)
        self.step_proj = nn.Linear(self.width, self.heads)
        self.A_log = nn.Parameter(torch.empty(self.heads))
        self.D = nn.Parameter(torch.full((self.heads,), float(self.published)))
        self.norm = nn.Parameter(torch.ones(self.heads, self.head_dim))
        with torch.no_grad():
            self._published_start() if self.published else self._neutral_start()

    def _published_start(self) -> None:
        """Dt log-uniform in [0.001, 0.1], -A uniform in [1, 16]; gate and convolution random."""
        ends = math.log(0.001), math.log(0.1)
        step = torch.empty(self.heads).uniform_(*ends).exp()
        self.step_proj.bias.copy_(step + torch.log(-torch.expm1(-step)))  # softplus gives step
        self.A_log.uniform_(1.0, 16.0).log_()

    def _neutral_start(self) -> None:
        for linear, bias in ((self.step_proj, _SOFTPLUS_IS_ONE), (self.gate_proj, _SILU_IS_ONE)):
            linear.weight.zero_()
            linear.bias.fill_(bias)
        self.A_log.copy_(torch.linspace(math.log(_SLOWEST), math.log(_FASTEST), self.heads))

    def heads_out(
        self, hidden: Tensor, rows: TokenRows, state: MixerState | None
    ) -> tuple[Tensor, MixerState]:
        """What the heads return and the state; see `Mixer.heads_out`.

        Parameters
        ----------
        hidden, rows, state
            As there.
        """
        projected = torch.cat([p(hidden) for p in (self.x_proj, self.B_proj, self.C_proj)], -1)
        past = None if state is None else state["convolution"]
        projected, past = self.convolution(projected, rows, past)
        if self.published:
            projected = F.silu(projected)
        x, B, C = torch.split(projected, [self.narrow, self.narrow, self.inner], -1)
        shared = self.heads // self.kv_heads
        x, B = per_head(x, self.head_dim, shared), per_head(B, self.head_dim)
        C = per_head(C, self.head_dim)
        if self.B_norm is not None and self.C_norm is not None:
            B, C = self.B_norm(B), self.C_norm(C)
        if self.rotary and rows.rotary is not None:
            B, C = rotated(B, rows.rotary), rotated(C, rows.rotary)
        if shared > 1:
            B = B.repeat_interleave(shared, 2)
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
        y = y + self.D[:, None] * x
        return self._gated(y, hidden), {"memory": memory, "convolution": past}

    def _gated(self, y: Tensor, hidden: Tensor) -> Tensor:
        """The published layer gates before its norm, the neutral one after it."""
        gate = per_head(F.silu(self.gate_proj(hidden)), self.head_dim)
        if self.published:
            y = y * gate
        y = y * torch.rsqrt(y.square().mean(-1, keepdim=True) + 1e-5) * self.norm
        return y if self.published else y * gate

    def empty_state(self, batch: int) -> MixerState:
        """Zeros, for a batch of so many rows."""
        back, channels = self.convolution.weight.shape
        return {
            "memory": self._zeros(batch, self.heads, self.head_dim, self.head_dim),
            "convolution": self._zeros(batch, back - 1, channels),
        }
