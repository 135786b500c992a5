"""LoLCATs: softmax over a window of recent tokens, linear attention over all older ones."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from limbeck.networks.conversion.mixers.base import (
    AttentionParts,
    Mixer,
    MixerState,
    Start,
    per_head,
)
from limbeck.networks.conversion.mixers.rotary import rotated
from limbeck.networks.conversion.mixers.rows import TokenRows
from limbeck.networks.conversion.mixers.scan import chunked_scan, scan_step
from limbeck.networks.conversion.mixers.window import padded_front, window_sums

__all__ = ["WindowedLinearAttention"]


class WindowedLinearAttention(Mixer):
    """y = (sum of window exp(q.k) w v + sum of older phi(q).phi(k) l v) / (the same without v).

    LoLCATs (arXiv 2410.10254): queries, keys, values, output and rotary positions of the attention
    are kept, the feature map phi(u) = [softmax(u W), softmax(-u W)] is learned for each head, from
    the identity, and so are the weights w and l of the two sums.

    Parameters
    ----------
    parts : AttentionParts
        The attention layer.
    start : {"neutral", "published", "random"}
        The first two are the same here.
    window : int
        Tokens that softmax sees, the token itself among them.
    chunk : int
        Tokens of a chunk in training.
    """

    def __init__(
        self,
        parts: AttentionParts,
        start: Start = "neutral",
        *,
        window: int = 64,
        chunk: int = 64,
    ) -> None:
        super().__init__(parts, start)
        self.scaling, self.window, self.chunk = parts.scaling, window, chunk
        self.rotary = parts.rotary
        eye = torch.eye(self.head_dim).expand(self.heads, -1, -1)
        self.query_map = nn.Parameter(eye.clone())
        self.key_map = nn.Parameter(eye.clone())
        self.window_weight = nn.Parameter(torch.zeros(self.heads))  # w = 2 sigmoid, 1 at the start
        self.older_weight = nn.Parameter(torch.zeros(self.heads))

    def heads_out(
        self, hidden: Tensor, rows: TokenRows, state: MixerState | None
    ) -> tuple[Tensor, MixerState]:
        """What the heads return and the state; see `Mixer.heads_out`.

        Parameters
        ----------
        hidden, rows, state
            As there.
        """
        q, k, v = self._projected(hidden, rows)
        b, t = hidden.shape[:2]
        keep = torch.ones(b, t, dtype=torch.bool, device=hidden.device)
        keep = keep if rows.keep is None else rows.keep
        segment = torch.zeros_like(keep, dtype=torch.long)
        segment = segment if rows.segments is None else rows.segments
        past: dict[str, Any] = {} if state is None else state
        held = self.window  # one more than softmax sees besides: it leaves the window now
        keys, values = (padded_front(x, held, past.get(n)) for x, n in ((k, "keys"), (v, "values")))
        there = padded_front(keep, held, past.get("there"))
        of = torch.cat([segment[:, :1].expand(-1, held), segment], 1)
        recent, weights = window_sums(q * self.scaling, keys, values, there, of)
        older, memory = self._older(q, keys, values, there, rows, past.get("memory"))
        w, old = (2 * torch.sigmoid(x)[:, None] for x in (self.window_weight, self.older_weight))
        above = w * recent + old * older[..., :-1]
        below = w * weights + old * older[..., -1:]
        ends = {"keys": keys, "values": values, "there": there}
        kept = {name: x[:, x.shape[1] - held :] for name, x in ends.items()}
        return above / below.clamp_min(1e-6), {"memory": memory, **kept}

    def _projected(self, hidden: Tensor, rows: TokenRows) -> tuple[Tensor, Tensor, Tensor]:
        q, k, v = (
            per_head(p(hidden), self.head_dim) for p in (self.C_proj, self.B_proj, self.x_proj)
        )
        if self.B_norm is not None and self.C_norm is not None:
            q, k = self.C_norm(q), self.B_norm(k)
        if self.rotary and rows.rotary is not None:
            q, k = rotated(q, rows.rotary), rotated(k, rows.rotary)
        shared = self.heads // self.kv_heads
        if shared > 1:
            k, v = k.repeat_interleave(shared, 2), v.repeat_interleave(shared, 2)
        return q, k, v

    def _older(
        self,
        q: Tensor,
        keys: Tensor,
        values: Tensor,
        there: Tensor,
        rows: TokenRows,
        memory: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        """Sums over the tokens that have left the window, and their weights as a last column."""
        t = q.shape[1]
        written = there[:, :t, None, None].to(q.dtype)
        key = _features(keys[:, :t], self.key_map) * written
        value = torch.cat([values[:, :t], torch.ones_like(values[:, :t, :, :1])], -1) * written
        query = _features(q, self.query_map)
        none = q.new_zeros(q.shape[:3])
        if t == 1 and memory is not None:
            y, memory = scan_step(value[:, 0], key[:, 0], query[:, 0], none[:, 0], memory)
            return y[:, None], memory
        of = rows.segments
        before = None if of is None else torch.cat([of[:, :1].expand(-1, self.window), of], 1)
        return chunked_scan(
            value, key, query, none, memory, segments=of,
            written=None if before is None else before[:, :t], chunk=self.chunk,
        )  # fmt: skip

    def empty_state(self, batch: int) -> MixerState:
        """Zeros, for a batch of so many rows."""
        size = (batch, self.window, self.heads, self.head_dim)
        there = torch.zeros(batch, self.window, dtype=torch.bool, device=self.query_map.device)
        return {
            "memory": self._zeros(batch, self.heads, 2 * self.head_dim, self.head_dim + 1),
            "keys": self._zeros(*size),
            "values": self._zeros(*size),
            "there": there,
        }


def _features(u: Tensor, mapping: Tensor) -> Tensor:
    """[softmax(u W), softmax(-u W)], (b, t, h, 2 n)."""
    mapped = torch.einsum("bthn,hnm->bthm", u, mapping)
    return torch.cat([mapped.softmax(-1), (-mapped).softmax(-1)], -1)
