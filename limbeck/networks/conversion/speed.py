"""Time and memory of a token by what was read before it, and of training by length."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from limbeck.networks.conversion.attention import attention_layers
from limbeck.networks.conversion.cache import RecurrentLayer, state_bytes
from limbeck.networks.conversion.layer import ConvertedAttention

__all__ = ["TokenCost", "crossing", "token_costs", "training_seconds"]


@dataclass(frozen=True)
class TokenCost:
    """One more token after a length.

    Parameters
    ----------
    length : int
        Tokens read before.
    seconds : float
        Processor seconds of one token, the least of several repeats.
    state_bytes : int
        What is kept of one text.
    """

    length: int
    seconds: float
    state_bytes: int


@torch.no_grad()
def token_costs(model: Any, lengths: Sequence[int], tokens: int = 8) -> list[TokenCost]:
    """Generation after some lengths: states and keys are made up, so that nothing need be read.

    Parameters
    ----------
    model : PreTrainedModel
        The model, on the CPU.
    lengths : sequence of int
        Tokens read before.
    tokens : int
        Tokens over which time is taken.
    """
    model.eval()
    found = []
    for length in lengths:
        cache = _filled(model, length)
        size = state_bytes(cache)
        times = []
        for i in range(tokens):
            asked = {
                "input_ids": torch.ones(1, 1, dtype=torch.long),
                "position_ids": torch.tensor([[length + i]]),
            }
            began = time.process_time()
            model(**asked, past_key_values=cache, use_cache=True)
            times.append(time.process_time() - began)
        found.append(TokenCost(length, min(times), size))
    return found


def crossing(slow: Sequence[TokenCost], fast: Sequence[TokenCost]) -> int | None:
    """The least length from which on every token of the second model is quicker.

    Parameters
    ----------
    slow, fast : sequence of TokenCost
        At the same lengths.
    """
    found = None
    for a, b in zip(reversed(slow), reversed(fast), strict=True):
        if b.seconds >= a.seconds:
            break
        found = a.length
    return found


def training_seconds(module: Any, length: int, call: Any, repeats: int = 5) -> float:
    """Processor seconds of a forward and a backward pass, the least of several.

    Parameters
    ----------
    module : nn.Module
        Whose gradients are cleared.
    length : int
        Handed to ``call``.
    call : callable
        From the length to a loss.
    repeats : int
        How often.
    """
    times = []
    for _ in range(repeats):
        module.zero_grad(set_to_none=True)
        began = time.process_time()
        call(length).backward()
        times.append(time.process_time() - began)
    return min(times)


def _filled(model: Any, length: int) -> Any:
    """A cache as it is after so many tokens, with numbers drawn at random."""
    from transformers.cache_utils import DynamicCache, DynamicLayer

    from limbeck.networks.conversion.attention import parts_of

    cache = DynamicCache()
    cache.layers = []
    for attention in attention_layers(model):
        layer: Any
        if isinstance(attention, ConvertedAttention):
            layer = RecurrentLayer()
            layer.read(attention.mixer.empty_state(1), length)
        else:
            parts = parts_of(attention)
            layer = DynamicLayer()
            layer.update(*(torch.randn(1, parts.kv_heads, length, parts.head_dim) for _ in "kv"))
        cache.layers.append(layer)
    return cache
