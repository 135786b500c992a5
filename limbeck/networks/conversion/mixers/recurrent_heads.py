"""What recurrent mixers share: decay and norm of each head, set from attention's own heads."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limbeck.networks.conversion.mixers.base import (
    AttentionParts,
    Mixer,
    MixerState,
    Start,
    per_head,
)
from limbeck.networks.conversion.mixers.convolution import ShortConvolution
from limbeck.networks.conversion.mixers.rotary import rotated
from limbeck.networks.conversion.mixers.rows import TokenRows, kept_values

__all__ = ["SILU_IS_ONE", "RecurrentHeads", "calibrate_heads"]

SILU_IS_ONE = 1.2784645427610738  # silu(1.278...) = 1
_SLOWEST, _FASTEST = 0.01, 0.3  # decay per token of the neutral start, over the heads

_DECAYS = (0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 4.0)


class RecurrentHeads(Mixer):
    """A mixer with a short convolution, and a decay ``exp(A_log)``, gate and norm of each head.

    Parameters
    ----------
    parts : AttentionParts
        The attention layer.
    start : {"neutral", "published", "random"}
        As in `Mixer`.
    convolution : int
        Width of the convolution.
    rotary : bool
        Turn keys and queries by their positions where the attention did, except in the published
        start, which leaves positions out.
    chunk : int
        Tokens of a chunk in training.
    """

    def __init__(
        self, parts: AttentionParts, start: Start, convolution: int, rotary: bool, chunk: int
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
        self.A_log = nn.Parameter(torch.zeros(self.heads))
        self.norm = nn.Parameter(torch.ones(self.heads, self.head_dim))

    @torch.no_grad()
    def _start_new(self, steps: Mapping[nn.Linear, float]) -> None:
        """Decay as published, or slow with a gate of 1 and the steps' biases as given."""
        if self.published:
            self.A_log.uniform_(1.0, 16.0).log_()
            return
        for linear, bias in {**steps, self.gate_proj: SILU_IS_ONE}.items():
            linear.weight.zero_()
            linear.bias.fill_(bias)
        self.A_log.copy_(torch.linspace(math.log(_SLOWEST), math.log(_FASTEST), self.heads))

    def _read(
        self, hidden: Tensor, rows: TokenRows, state: MixerState | None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Values, keys and queries of all heads, (b, t, h, p), and the convolution's state."""
        projected = torch.cat([p(hidden) for p in (self.x_proj, self.B_proj, self.C_proj)], -1)
        past = None if state is None else state["convolution"]
        projected, past = self.convolution(projected, rows, past)
        if self.published:
            projected = F.silu(projected)
        x, both = (
            per_head(u, self.head_dim)
            for u in torch.split(projected, [self.narrow, self.narrow + self.inner], -1)
        )
        sizes = [self.kv_heads, self.heads]
        if self.B_norm is not None and self.C_norm is not None:
            B, C = torch.split(both, sizes, 2)
            both = torch.cat([self.B_norm(B), self.C_norm(C)], 2)
        if self.rotary and rows.rotary is not None:
            both = rotated(both, rows.rotary)  # keys and queries at once
        B, C = torch.split(self._of_length(both), sizes, 2)
        shared = self.heads // self.kv_heads
        if shared > 1:
            x, B = x.repeat_interleave(shared, 2), B.repeat_interleave(shared, 2)
        return x, B, C, past

    def _of_length(self, keys: Tensor) -> Tensor:
        """Keys and queries as the recurrence reads them, (b, t, kv heads + heads, p)."""
        return keys

    def _normed(self, y: Tensor) -> Tensor:
        return F.rms_norm(y, y.shape[-1:], eps=1e-5) * self.norm

    def empty_state(self, batch: int) -> MixerState:
        """Zeros, for a batch of so many rows."""
        back, channels = self.convolution.weight.shape
        return {
            "memory": self._zeros(batch, self.heads, self.head_dim, self.head_dim),
            "convolution": self._zeros(batch, back - 1, channels),
        }

    def calibrate(self, hidden: Tensor, rows: TokenRows, wanted: Tensor) -> None:
        """Take the decay that comes nearest to attention's head; see `calibrate_heads`.

        Parameters
        ----------
        hidden, rows, wanted
            As in `Mixer.calibrate`.
        """
        calibrate_heads([self], lambda: self.heads_out(hidden, rows, None)[0], rows, wanted)


@torch.no_grad()
def calibrate_heads(
    mixers: Sequence[RecurrentHeads], heads_out: Callable[[], Tensor], rows: TokenRows,
    wanted: Tensor,
) -> None:  # fmt: skip
    """Take the decay that comes nearest to attention's head, and scale by least squares.

    For each head and decay of a grid the channels are scaled so that the squared distance to
    the head of attention is least; the decay with the least distance is taken.

    Parameters
    ----------
    mixers : sequence of RecurrentHeads
        All get the same decay and scale, such as the two directions of an encoder.
    heads_out : callable
        What their heads return together, (n, t, h, p).
    rows : TokenRows
        Padding, which counts nothing.
    wanted : Tensor of shape (n, t, h, p)
        What the heads of attention returned.
    """
    first = mixers[0]
    wanted = kept_values(wanted, rows)
    least = torch.full_like(first.A_log, torch.inf)
    decay, scale = first.A_log.clone(), first.norm.clone()
    for rate in _DECAYS:
        for mixer in mixers:
            mixer.norm.fill_(1.0)
            mixer.A_log.fill_(math.log(rate))
        y = kept_values(heads_out(), rows)
        factor = (wanted * y).sum((0, 1)) / y.square().sum((0, 1)).clamp_min(1e-12)  # (h, p)
        rest = (wanted - factor * y).square().sum((0, 1, 3))  # (h,)
        better = rest < least
        least = torch.where(better, rest, least)
        decay[better] = math.log(rate)
        scale[better] = factor[better]
    for mixer in mixers:
        mixer.A_log.copy_(decay)
        mixer.norm.copy_(scale)
