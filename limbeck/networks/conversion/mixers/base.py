"""What all mixers share: projections copied from an attention layer, heads, and a state."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from limbeck.networks.conversion.mixers.rows import TokenRows

__all__ = ["AttentionParts", "Mixer", "MixerState", "Start", "per_head"]

MixerState = dict[str, Tensor]
"""Tensors by name; their sizes do not depend on how many tokens were read."""

Start = Literal["neutral", "published", "random"]
"""From attention with all that is new neutral, as published, or all at random."""


@dataclass(frozen=True, eq=False)
class AttentionParts:
    """An attention layer of any architecture, as its parts.

    Parameters
    ----------
    query, key, value : nn.Linear
        Its projections.
    out : nn.Module
        That of its output; the identity where it stands outside of the attention.
    heads, kv_heads, head_dim : int
        Query heads, heads of keys and values, and their size.
    scaling : float
        What scores are multiplied by, usually 1 / sqrt(head_dim).
    query_norm, key_norm : nn.Module, optional
        Norms per head, as in Qwen3.
    rotary : bool
        Whether its positions are rotary.
    """

    query: nn.Linear
    key: nn.Linear
    value: nn.Linear
    out: nn.Module
    heads: int
    kv_heads: int
    head_dim: int
    scaling: float
    query_norm: nn.Module | None = None
    key_norm: nn.Module | None = None
    rotary: bool = False


class Mixer(nn.Module, ABC):
    """A causal sequence mixer: vectors (b, t, d) to vectors (b, t, d), with a constant state.

    ``x`` comes from the values, ``B`` from the keys, ``C`` from the queries and ``out`` from the
    output projection (Mamba in the Llama, arXiv 2408.15237).

    Parameters
    ----------
    parts : AttentionParts
        The attention layer; its weights are copied.
    start : {"neutral", "published", "random"}
        What new weights are, and whether those of attention are kept.
    """

    x_proj: nn.Module
    B_proj: nn.Module
    C_proj: nn.Module
    out_proj: nn.Module

    def __init__(self, parts: AttentionParts, start: Start = "neutral") -> None:
        super().__init__()
        self.heads, self.kv_heads, self.head_dim = parts.heads, parts.kv_heads, parts.head_dim
        self.width = parts.query.in_features
        self.x_proj, self.B_proj, self.C_proj, self.out_proj = (
            copy.deepcopy(linear) for linear in (parts.value, parts.key, parts.query, parts.out)
        )
        self.C_norm, self.B_norm = (copy.deepcopy(n) for n in (parts.query_norm, parts.key_norm))
        if start == "random":
            for linear in (self.x_proj, self.B_proj, self.C_proj, self.out_proj):
                if isinstance(linear, nn.Linear):
                    linear.reset_parameters()

    @abstractmethod
    def heads_out(
        self, hidden: Tensor, rows: TokenRows, state: MixerState | None
    ) -> tuple[Tensor, MixerState]:
        """What the heads return, (b, t, h, p), before the output projection; and the state.

        Parameters
        ----------
        hidden : Tensor of shape (b, t, d)
            Vectors of tokens.
        rows : TokenRows
            Padding and sequences.
        state : dict of Tensor, optional
            That of the call before.
        """

    @abstractmethod
    def empty_state(self, batch: int) -> MixerState:
        """The state before the first token, for a batch of so many rows."""

    def calibrate(self, hidden: Tensor, rows: TokenRows, wanted: Tensor) -> None:
        """Set what can be set in closed form, so that heads return what attention's returned.

        Parameters
        ----------
        hidden : Tensor of shape (n, t, d)
            What the attention read.
        rows : TokenRows
            Padding and sequences.
        wanted : Tensor of shape (n, t, h, p)
            What its heads returned, before the output projection.
        """

    def forward(
        self, hidden: Tensor, rows: TokenRows, state: MixerState | None = None
    ) -> tuple[Tensor, MixerState]:
        """Mixed vectors (b, t, d), and the state after the last token.

        Parameters
        ----------
        hidden : Tensor of shape (b, t, d)
            Vectors of tokens.
        rows : TokenRows
            Padding and sequences.
        state : dict of Tensor, optional
            That of the call before.
        """
        y, state = self.heads_out(hidden, rows, state)
        mixed: Tensor = self.out_proj(y.flatten(2))
        return mixed, state

    def _zeros(self, *shape: int) -> Tensor:
        like = next(self.x_proj.parameters())
        return torch.zeros(shape, device=like.device, dtype=like.dtype)


def per_head(values: Tensor, size: int, repeats: int = 1) -> Tensor:
    """(b, t, heads * size) to (b, t, heads * repeats, size); each head is repeated in its place.

    Parameters
    ----------
    values : Tensor of shape (b, t, heads * size)
        Projections.
    size : int
        Numbers in a head.
    repeats : int
        Query heads that share a head of keys and values (GQA).
    """
    split = torch.unflatten(values, -1, (-1, size))
    return split if repeats == 1 else split.repeat_interleave(repeats, 2)
