"""Mixers set from some texts before any training: nothing but sums over hidden states."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from limbeck.networks.conversion.convert import converted_layers
from limbeck.networks.conversion.hidden_states import walk_blocks
from limbeck.networks.conversion.mixers.rows import TokenRows

__all__ = ["calibrate"]

_BLOCKS = 32


def calibrate(teacher: Any, student: Any, tokens: Tensor, layers: frozenset[int]) -> None:
    """Decay and norm of each head from what the head of attention returns for the same inputs.

    Parameters
    ----------
    teacher, student : PreTrainedModel
        The model with attention, and the converted one, which is changed.
    tokens : Tensor of shape (n, t), int64
        Blocks of training tokens; the first 32 are read.
    layers : frozenset of int
        Which converted layers.
    """
    mixers = {layer.index: layer.mixer for layer in converted_layers(student)}
    if not layers:
        return
    for states in walk_blocks(teacher, tokens[:_BLOCKS], layers):
        mixer = mixers[states.index]
        wanted = states.heads_written.unflatten(-1, (mixer.heads, mixer.head_dim))  # type: ignore[no-untyped-call]
        mixer.calibrate(states.attention_read, TokenRows(rotary=states.rotary), wanted)
