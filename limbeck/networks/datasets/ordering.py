"""Orders in which sequences of similar length share a batch, so that little is padded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from limbeck.core.errors import InvalidInput
from limbeck.modules.batch import MASK

__all__ = ["alike", "tokens"]


def alike(order: Tensor, lengths: Tensor, batch: int, generator: torch.Generator) -> Tensor:
    """The same places, with samples of similar length side by side in batches.

    Windows of 50 batches are sorted by length and their batches shuffled, so that what is in a
    batch still changes from epoch to epoch. The rest that fills no batch stays last.

    Parameters
    ----------
    order : Tensor of shape (n,)
        A permutation.
    lengths : Tensor of shape (n,)
        By place.
    batch : int
        Samples in a batch.
    generator : torch.Generator
        For the shuffling.
    """
    full = len(order) // batch * batch
    out = []
    for window in torch.split(order[:full], 50 * batch):
        window = window[torch.argsort(lengths[window], stable=True)].view(-1, batch)
        out.append(window[torch.randperm(len(window), generator=generator)].flatten())
    return torch.cat([*out, order[full:]])


def tokens(inputs: Any) -> Tensor:
    """How many tokens each sample of a batch holds, (n,): by its mask, or by ``input_ids``.

    Raises
    ------
    InvalidInput
        If inputs have neither.
    """
    named = inputs if isinstance(inputs, Mapping) else {}
    if MASK in named:
        return torch.as_tensor(named[MASK]).sum(1)
    if "input_ids" in named:
        n, t = named["input_ids"].shape
        return torch.full((n,), t)
    raise InvalidInput(
        "by_length is given, and samples have no input_ids.",
        "Give items as mappings with input_ids, or leave by_length out.",
    )
