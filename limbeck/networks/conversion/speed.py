"""Time and memory of a token by what was read before it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers.cache_utils import DynamicCache, DynamicLayer

from limbeck.networks.conversion.attention import attention_layers, parts_of
from limbeck.networks.conversion.cache import RecurrentLayer, state_bytes
from limbeck.networks.conversion.layer import ConvertedAttention

__all__ = ["TokenCost", "clock", "crossing", "token_costs"]


@dataclass(frozen=True)
class TokenCost:
    """One more token after a length.

    Parameters
    ----------
    length : int
        Tokens read before.
    seconds : float
        Of one token, the least of several: of the processor, or on a GPU by the clock.
    state_bytes : int
        What is kept of one text.
    """

    length: int
    seconds: float
    state_bytes: int


@torch.no_grad()
def token_costs(
    model: Any,
    lengths: Sequence[int],
    tokens: int = 8,
    *,
    rows: int = 1,
    keys: Callable[[], Any] = DynamicLayer,
) -> list[TokenCost]:
    """Generation after some lengths: states and keys are made up, so that nothing need be read.

    Parameters
    ----------
    model : PreTrainedModel
        The model.
    lengths : sequence of int
        Tokens read before.
    tokens : int
        Tokens over which time is taken.
    rows : int
        Texts that go on together.
    keys : callable
        Makes the layer of a cache that holds an attention's keys and values; by default the one of
        transformers, which copies all of them for each token.
    """
    model.eval()
    device, found = next(model.parameters()).device, []
    for length in lengths:
        cache = _filled(model, length, rows, keys)
        size = state_bytes(cache)
        times = []
        for i in range(tokens):
            asked = {
                "input_ids": torch.ones(rows, 1, dtype=torch.long, device=device),
                "position_ids": torch.full((rows, 1), length + i, device=device),
            }
            began = clock(device)
            model(**asked, past_key_values=cache, use_cache=True)
            times.append(clock(device) - began)
        found.append(TokenCost(length, min(times), size))
    return found


def clock(device: torch.device) -> float:
    """Processor seconds; on a GPU those of the wall, once it has done what it was asked to."""
    if device.type == "cpu":
        return time.process_time()
    torch.accelerator.synchronize(device)
    return time.perf_counter()


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


def _filled(model: Any, length: int, rows: int, keys: Callable[[], Any]) -> Any:
    """A cache as it is after so many tokens, with numbers drawn at random."""
    like = next(model.parameters())
    cache = DynamicCache()
    cache.layers = []
    for attention in attention_layers(model):
        layer: Any
        if isinstance(attention, ConvertedAttention):
            layer = RecurrentLayer()
            layer.read(attention.mixer.empty_state(rows), length)
        else:
            parts = parts_of(attention)
            layer, shape = keys(), (rows, parts.kv_heads, length, parts.head_dim)
            layer.update(*(torch.randn(shape, dtype=like.dtype, device=like.device) for _ in "kv"))
        cache.layers.append(layer)
    return cache
