"""A network without its last linear layer, so that losses make its outputs some at a time.

Over a large vocabulary the outputs are most of the memory of an update, and a linear layer can
make them where they are needed. So a network is called with that layer let through: what it returns
as its logits are what the layer would have been given.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from limbeck.modules.batch import HeadWeights
from limbeck.modules.capture import evaluated, logits_of
from limbeck.modules.outputs import OutputReader, reading_of

__all__ = ["FEW_OUTPUTS", "head_weights", "left_out", "linear_head"]

FEW_OUTPUTS = 1_024
"""With fewer outputs they take no more memory than what the network holds anyway."""
_PROBE = 6  # tokens that both ways to the outputs are compared on


def linear_head(module: nn.Module) -> nn.Linear | None:
    """The last layer of a language model, where its outputs are that layer's and nothing more.

    Both ways to the outputs are compared on a few tokens, so that a model that bends them
    afterwards (``final_logit_softcapping``) keeps its layer; a factor (``logits_scaling``) then
    scales what the layer would be given.

    Parameters
    ----------
    module : nn.Module
        A causal model of transformers, with adapters or without; modes are afterwards as before.

    Returns
    -------
    nn.Linear or None
        None where it has few outputs, or they are not of a plain linear layer.
    """
    getter = getattr(module, "get_output_embeddings", None)
    head: Any = getter() if callable(getter) else None
    plain = type(head) is nn.Linear and "forward" not in vars(head)
    if not plain or head.out_features < FEW_OUTPUTS or hasattr(module, "_orig_mod"):
        return None  # _orig_mod: torch.compile has looked into it already
    capped = getattr(getattr(module, "config", None), "final_logit_softcapping", None)
    if capped or head._forward_hooks or head._forward_pre_hooks:
        return None
    reading = reading_of(module)
    if OutputReader(first=reading.first) != reading:
        return None
    ids = torch.arange(_PROBE, device=head.weight.device)[None]
    given = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    try:
        with evaluated(module), torch.no_grad():
            expected = logits_of(module(**given), "The network")
            with left_out(head):
                states = logits_of(module(**given), "The network")
            if states.shape[-1] != head.in_features:
                return None
            found = head(states)
    except (TypeError, AttributeError, RuntimeError):
        return None
    if found.shape != expected.shape:
        return None
    most = (1e-5 if found.dtype is torch.float32 else 1e-2) * expected.abs().max()
    return head if bool(((found - expected).abs() <= most).all()) else None


@contextmanager
def left_out(head: nn.Linear) -> Iterator[None]:
    """Let a layer return what it is given.

    Parameters
    ----------
    head : nn.Linear
        The layer, which is afterwards as before.
    """
    head.forward = _through  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        del head.forward


def head_weights(head: nn.Linear, outputs: int | None) -> HeadWeights:
    """The weights of a layer, of its first outputs alone.

    Parameters
    ----------
    head : nn.Linear
        The layer.
    outputs : int or None
        How many are meant; the others were only filled up.
    """
    bias = None if head.bias is None else head.bias[:outputs]
    return HeadWeights(head.weight if outputs is None else head.weight[:outputs], bias)


def _through(given: Tensor) -> Tensor:
    return given
