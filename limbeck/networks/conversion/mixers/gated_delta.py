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
from limbeck.networks.conversion.mixers.delta_rule import chunked_delta, delta_step
from limbeck.networks.conversion.mixers.recurrent_heads import RecurrentHeads
from limbeck.networks.conversion.mixers.rows import TokenRows, kept_values

__all__ = ["GatedDeltaRule"]

_SOFTPLUS_IS_ONE = math.log(math.e - 1.0)


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
        chunk: int = 16,
    ) -> None:
        super().__init__(parts, start, convolution, rotary, chunk)
        self.beta_proj = nn.Linear(self.width, self.heads)
        self.decay_proj = nn.Linear(self.width, self.heads)
        self._start_new({self.beta_proj: 0.0, self.decay_proj: _SOFTPLUS_IS_ONE})

    def heads_out(
        self, hidden: Tensor, rows: TokenRows, state: MixerState | None
    ) -> tuple[Tensor, MixerState]:
        """What the heads return and the state; see `Mixer.heads_out`.

        Parameters
        ----------
        hidden, rows, state
            As there.
        """
        v, k, q, past = self._read(hidden, rows, state)
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
        y = self._normed(y) * per_head(F.silu(self.gate_proj(hidden)), self.head_dim)
        return y, {"memory": memory, "convolution": past}

    def _of_length(self, keys: Tensor) -> Tensor:
        return F.normalize(keys, dim=-1)
