"""The state of a converted layer inside the cache that transformers hands from call to call."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from transformers.cache_utils import CacheLayerMixin, DynamicLayer

from limbeck.networks.conversion.mixers.base import MixerState

__all__ = ["RecurrentLayer", "layer_of", "state_bytes"]


class RecurrentLayer(CacheLayerMixin):  # type: ignore[misc]
    """A mixer's state in the place of keys and values; its size does not grow."""

    is_sliding = False
    is_compileable = False

    def __init__(self) -> None:
        super().__init__()
        self.state: MixerState | None = None
        self.seen = 0

    def read(self, state: MixerState, tokens: int) -> None:
        """Keep the state after some more tokens.

        Parameters
        ----------
        state : dict of Tensor
            The new state.
        tokens : int
            How many were read.
        """
        self.state, self.seen = state, self.seen + tokens
        self.is_initialized = True

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        """Nothing: the mixer makes its state.

        Parameters
        ----------
        key_states, value_states : Tensor
            Not read.
        """

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> Any:
        """Refused: this layer holds no keys.

        Parameters
        ----------
        key_states, value_states, *args, **kwargs
            Not read.
        """
        raise RuntimeError("A converted layer holds no keys and values.")

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """Tokens that a mask of pairs would cover, and where it starts."""
        return self.seen + query_length, 0

    def get_seq_length(self) -> int:
        """Tokens read so far."""
        return self.seen

    def get_max_length(self) -> int:
        """No limit."""
        return -1

    def reset(self) -> None:
        """Forget everything."""
        self.state, self.seen = None, 0

    def reorder_cache(self, beam_idx: Tensor) -> None:
        """Keep the rows of the beams that go on."""
        if self.state is not None:
            self.state = {n: v.index_select(0, beam_idx) for n, v in self.state.items()}

    def offload(self) -> None:
        """Nothing to move: the state is small."""

    def prefetch(self) -> None:
        """Nothing to move."""


def layer_of(cache: Any, index: int) -> RecurrentLayer:
    """The place of a converted layer in a cache; made where the cache has one for keys.

    Parameters
    ----------
    cache : Cache
        What transformers hands on.
    index : int
        The block.

    Raises
    ------
    RuntimeError
        If keys were kept there already, by another model.
    """
    while len(cache.layers) <= index:
        cache.layers.append(DynamicLayer())
    found = cache.layers[index]
    if not isinstance(found, RecurrentLayer):
        if found.get_seq_length():
            raise RuntimeError("This cache was filled by a model with attention.")
        found = cache.layers[index] = RecurrentLayer()
    return found


def state_bytes(cache: Any) -> int:
    """Bytes of all states, keys and values in a cache."""
    total = 0
    for layer in cache.layers:
        if isinstance(layer, RecurrentLayer):
            tensors = list((layer.state or {}).values())
        else:
            tensors = [t for t in (layer.keys, layer.values) if t is not None]
        total += sum(t.numel() * t.element_size() for t in tensors)
    return total
