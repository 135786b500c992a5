"""A mixer that stands where a block of transformers calls its attention."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from torch import Tensor, nn

from limbeck.networks.conversion.context import BatchContext
from limbeck.networks.conversion.mixers.base import Mixer

__all__ = ["ConvertedAttention"]


class ConvertedAttention(nn.Module):
    """Called like attention of Llama, Qwen or GPT-2; returns the mixer's output and no weights.

    Parameters
    ----------
    mixer : Mixer
        What replaces attention.
    index : int
        The block it stands in.
    context : BatchContext
        Where padding and sequences of the batch are read.
    """

    def __init__(self, mixer: Mixer, index: int, context: BatchContext) -> None:
        super().__init__()
        self.mixer, self.index, self.context = mixer, index, context

    def forward(
        self,
        hidden_states: Tensor,
        past_key_values: Any = None,
        attention_mask: Any = None,
        position_embeddings: Any = None,
        **_: Any,
    ) -> tuple[Tensor, None]:
        """The mixed vectors, and None for the weights.

        Parameters
        ----------
        hidden_states : Tensor of shape (b, t, d)
            Vectors of tokens.
        past_key_values : Cache, optional
            Holds the state between calls.
        attention_mask : Tensor, optional
            Not read here; see `BatchContext`.
        position_embeddings : tuple of Tensor, optional
            Cosines and sines of rotary positions.
        **_
            What blocks hand on to attention besides.
        """
        rows = self.context.rows
        if position_embeddings is not None:
            rows = replace(rows, rotary=position_embeddings)
        if past_key_values is None:
            return self.mixer(hidden_states, rows)[0], None
        from limbeck.networks.conversion.cache import layer_of

        place = layer_of(past_key_values, self.index)
        mixed, state = self.mixer(hidden_states, rows, place.state)
        place.read(state, hidden_states.shape[1])
        return mixed, None
