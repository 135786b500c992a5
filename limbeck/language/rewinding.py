"""A model that keeps what it has read, and goes back where a text was changed.

Keys and values are cut to any earlier token. The state of a converted layer
(`limbeck.networks.Hybrid`) cannot be: its states after the last few calls are kept, which costs
nothing but their memory, since a mixer makes new ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from limbeck.networks.conversion.layer import ConvertedAttention

__all__ = ["RewindingReader"]


class RewindingReader:
    """Logits of a text that grows, and whose end may be taken back; tokens are read once.

    Models with sliding windows, whose caches forget, read the whole text again every time.

    Parameters
    ----------
    module : PreTrainedModel
        A causal language model, in evaluation mode.
    kept : int
        After how many calls the states of converted layers are kept: as many as the text may be
        longer than where it goes back to.
    """

    def __init__(self, module: Any, kept: int = 8) -> None:
        self.module, self.kept, self.passes = module, kept, 0
        self.recurrent = any(isinstance(m, ConvertedAttention) for m in module.modules())
        self._cache = _cache_of(module)
        self._read: list[int] = []
        self._states: dict[int, list[Any]] = {}

    def logits(self, text: Sequence[int], last: int) -> Tensor:
        """Of what follows each of the last places, (last, vocabulary).

        Parameters
        ----------
        text : sequence of int
            All tokens. What they share with the text before is not read again.
        last : int
            Places.
        """
        tokens = list(text)
        if self._cache is None:
            return self._run(tokens, None)[-last:]
        before = len(tokens) - last
        read = self._read[:before]
        pairs = zip(read, tokens, strict=False)
        self._back(next((i for i, (old, new) in enumerate(pairs) if old != new), len(read)))
        if self.recurrent and len(self._read) < before:
            self._go_on(tokens[len(self._read) : before])  # a state to which one can go back
        return self._go_on(tokens[len(self._read) :])[-last:]

    def _go_on(self, tokens: list[int]) -> Tensor:
        found = self._run(tokens, self._cache)
        self._read += tokens
        if self.recurrent:
            self._states[len(self._read)] = [_state(layer) for layer in self._cache.layers]
            while len(self._states) > self.kept:
                del self._states[min(self._states)]
        return found

    def _run(self, tokens: list[int], cache: Any) -> Tensor:
        self.passes += 1
        ids = torch.tensor([tokens], device=self.module.device)
        found: Tensor = self.module(
            input_ids=ids, past_key_values=cache, use_cache=cache is not None
        ).logits[0]
        return found

    def _back(self, place: int) -> None:
        """Forget what stands behind a place, and more where no state is known there."""
        if self.recurrent:
            self._states = {n: s for n, s in self._states.items() if n <= place}
            place = max(self._states, default=0)
        if place == 0:
            self._cache, self._read = _cache_of(self.module), []
            return
        states = self._states.get(place, [None] * len(self._cache.layers))
        for layer, state in zip(self._cache.layers, states, strict=True):
            if state is not None:
                layer.state, layer.seen = state
            elif layer.get_seq_length():
                layer.keys, layer.values = (x[..., :place, :] for x in (layer.keys, layer.values))
        self._read = self._read[:place]


def _cache_of(module: Any) -> Any:
    """An empty cache, or None where it could not be cut."""
    from transformers.cache_utils import DynamicCache, DynamicLayer

    cache = DynamicCache(config=module.config)
    return cache if all(type(layer) is DynamicLayer for layer in cache.layers) else None


def _state(layer: Any) -> Any:
    """What a converted layer holds; None where there are keys and values."""
    from limbeck.networks.conversion.cache import RecurrentLayer

    return (layer.state, layer.seen) if isinstance(layer, RecurrentLayer) else None
