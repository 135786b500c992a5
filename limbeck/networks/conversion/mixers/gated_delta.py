"""Gated DeltaNet from attention: what stood at a key is replaced, not added to."""

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
from limbeck.networks.conversion.mixers.delta_rule import chunked_delta, delta_step
from limbeck.networks.conversion.mixers.recurrent_heads import RecurrentHeads
from limbeck.networks.conversion.mixers.rotary import rotated
from limbeck.networks.conversion.mixers.rows import TokenRows, kept_values

__all__ = ["GatedDeltaRule"]

_SILU_IS_ONE = 1.2784645427610738


class GatedDeltaRule(RecurrentHeads):
    """S_t = a_t (I - beta_t k_t k_t') S_{t-1} + beta_t k_t v_t', y_t = S_t' q_t, normed and gated.

    Gated DeltaNet (arXiv 2412.06464), which the public conversions of 2025 end in. Keys and queries
    have length 1. The neutral start has an identity convolution without SiLU, a gate of 1, beta
    one half and slow decay; the published one has these at random.

    Parameters
    ----------
    parts : AttentionParts
        The attention layer.
    start : {"neutral", "published", "random"}
        As in `GatedRecurrence`.
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
        chunk: int = 32,
    ) -> None:
        super().__init__(parts, start)
        self.rotary = rotary and parts.rotary and start != "published"
        self.published, self.chunk = start == "published", chunk
        narrow, inner = self.kv_heads * self.head_dim, self.heads * self.head_dim
        self.narrow, self.inner = narrow, inner
        self.convolution = ShortConvolution(
            2 * narrow + inner, convolution, identity=not self.published
        )
        self.gate_proj = nn.Linear(self.width, inner, bias=not self.published)
        self.beta_proj = nn.Linear(self.width, self.heads)
        self.decay_proj = nn.Linear(self.width, self.heads)
        self.A_log = nn.Parameter(torch.zeros(self.heads))
        self.norm = nn.Parameter(torch.ones(self.heads, self.head_dim))
        with torch.no_grad():
            if self.published:
                self.A_log.uniform_(1.0, 16.0).log_()
            else:
                for linear in (self.gate_proj, self.beta_proj, self.decay_proj):
                    linear.weight.zero_()
                    linear.bias.zero_()
                self.gate_proj.bias.fill_(_SILU_IS_ONE)
                self.decay_proj.bias.fill_(math.log(math.e - 1.0))  # softplus gives 1
                self.A_log.copy_(torch.linspace(math.log(0.01), math.log(0.3), self.heads))

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
        v, k, q = (
            per_head(u, self.head_dim)
            for u in torch.split(projected, [self.narrow, self.narrow, self.inner], -1)
        )
        if self.B_norm is not None and self.C_norm is not None:
            q, k = self.C_norm(q), self.B_norm(k)
        if self.rotary and rows.rotary is not None:
            q, k = rotated(q, rows.rotary), rotated(k, rows.rotary)
        shared = self.heads // self.kv_heads
        q, k = F.normalize(q, dim=-1), F.normalize(k, dim=-1)
        if shared > 1:
            v, k = v.repeat_interleave(shared, 2), k.repeat_interleave(shared, 2)
        beta = kept_values(torch.sigmoid(self.beta_proj(hidden)), rows)
        log_decay = kept_values(-self.A_log.exp() * F.softplus(self.decay_proj(hidden)), rows)
        memory = None if state is None else state["memory"]
        if hidden.shape[1] == 1 and memory is not None:
            y, memory = delta_step(v[:, 0], k[:, 0], q[:, 0], log_decay[:, 0], beta[:, 0], memory)
            y = y[:, None]
        else:
            y, memory = chunked_delta(
                v, k, q, log_decay, beta, memory, segments=rows.segments, chunk=self.chunk
            )
        y = y * torch.rsqrt(y.square().mean(-1, keepdim=True) + 1e-5) * self.norm
        y = y * per_head(F.silu(self.gate_proj(hidden)), self.head_dim)
        return y, {"memory": memory, "convolution": past}

    def empty_state(self, batch: int) -> MixerState:
        """Zeros, for a batch of so many rows."""
        back, channels = self.convolution.weight.shape
        return {
            "memory": self._zeros(batch, self.heads, self.head_dim, self.head_dim),
            "convolution": self._zeros(batch, back - 1, channels),
        }
