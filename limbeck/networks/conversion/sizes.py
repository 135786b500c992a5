"""What a model keeps of a text that it read: keys and values, or states."""

from __future__ import annotations

from typing import Any

from limbeck.networks.conversion.attention import attention_layers, parts_of
from limbeck.networks.conversion.layer import ConvertedAttention

__all__ = ["bytes_of_text"]


def bytes_of_text(model: Any, tokens: int) -> int:
    """Bytes of keys, values and states after so many tokens of one text.

    Parameters
    ----------
    model : PreTrainedModel
        The model.
    tokens : int
        Tokens read.
    """
    total = 0
    for attention in attention_layers(model):
        if isinstance(attention, ConvertedAttention):
            state = attention.mixer.empty_state(1).values()
            total += sum(t.numel() * t.element_size() for t in state)
        else:
            parts = parts_of(attention)
            size = parts.key.weight.element_size()
            total += 2 * parts.kv_heads * parts.head_dim * tokens * size
    return total
