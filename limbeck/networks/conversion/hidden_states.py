"""Hidden states of a teacher, stored once and carried from block to block."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from limbeck.modules.capture import hooked
from limbeck.networks.conversion.attention import attention_name, decoder_layers, heads_module

__all__ = ["BlockStates", "walk_blocks"]


@dataclass(frozen=True, eq=False)
class BlockStates:
    """What one block of the teacher reads and writes, for n blocks of t tokens.

    Parameters
    ----------
    index : int
        The block.
    read, written : Tensor of shape (n, t, d)
        What enters and leaves the block.
    attention_read, attention_written : Tensor of shape (n, t, d)
        What enters and leaves its attention.
    heads_written : Tensor of shape (n, t, h * p)
        What the heads of its attention return, before the output projection.
    args, kwargs : tuple and dict
        What the block is called with beside its input; the same for every batch.
    """

    index: int
    read: Tensor
    written: Tensor
    attention_read: Tensor
    attention_written: Tensor
    heads_written: Tensor
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    @property
    def rotary(self) -> Any:
        """Cosines and sines of rotary positions, or None."""
        return self.kwargs.get("position_embeddings")


class _Stop(Exception):
    """The first block was reached."""


@torch.no_grad()
def walk_blocks(
    model: Any, tokens: Tensor, wanted: frozenset[int], batch_size: int = 8
) -> Iterator[BlockStates]:
    """The states of the wanted blocks, one after another; earlier ones are let go.

    Only one block is computed at a time, from the states that the one before it left.

    Parameters
    ----------
    model : PreTrainedModel
        The teacher.
    tokens : Tensor of shape (n, t), int64
        Blocks of tokens without padding.
    wanted : frozenset of int
        Which blocks.
    batch_size : int
        Rows computed at once.
    """
    model.eval()
    read, args, kwargs = _before_blocks(model, tokens, batch_size)
    for index, block in enumerate(decoder_layers(model)):
        if index > max(wanted):
            return
        attention, seen = getattr(block, attention_name(block)), _Seen()
        heads = [(heads_module(attention), seen.heads)]
        with hooked([(attention, seen)], heads, with_kwargs=True):
            parts = [_first(block(r, *args, **kwargs)) for r in torch.split(read, batch_size)]
        written = torch.cat(parts)
        if index in wanted:
            yield BlockStates(
                index, read, written, torch.cat(seen.read), torch.cat(seen.written),
                torch.cat(seen.heads_read), args, kwargs,
            )  # fmt: skip
        read = written


class _Seen:
    """Keeps what enters and leaves a module."""

    def __init__(self) -> None:
        self.read: list[Tensor] = []
        self.written: list[Tensor] = []
        self.heads_read: list[Tensor] = []

    def heads(self, _: nn.Module, args: Any) -> None:
        self.heads_read.append(args[0])

    def __call__(self, _: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        self.read.append(kwargs["hidden_states"] if "hidden_states" in kwargs else args[0])
        self.written.append(_first(output))


def _before_blocks(
    model: Any, tokens: Tensor, batch_size: int
) -> tuple[Tensor, tuple[Any, ...], dict[str, Any]]:
    """What the first block reads, and what else it is called with."""
    calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    def catch(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        calls.append((args, kwargs))
        raise _Stop

    first = decoder_layers(model)[0]
    hook = first.register_forward_pre_hook(catch, with_kwargs=True)
    device = next(model.parameters()).device
    try:
        for some in torch.split(tokens, batch_size):
            try:
                model(input_ids=some.to(device), use_cache=False)
            except _Stop:
                continue
    finally:
        hook.remove()
    read = torch.cat([a[0] if a else k["hidden_states"] for a, k in calls])
    args, kwargs = calls[0]
    named = {name: value for name, value in kwargs.items() if name != "hidden_states"}
    return read, args[1:], named


def _first(output: Any) -> Tensor:
    found: Tensor = output[0] if isinstance(output, tuple) else output
    return found
