"""A model of transformers with mixers in the place of attention."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator
from typing import Any

import torch
from torch import nn

from limbeck.networks.conversion.attention import attention_name, decoder_layers, parts_of
from limbeck.networks.conversion.context import BatchContext
from limbeck.networks.conversion.hybrid import Hybrid
from limbeck.networks.conversion.layer import ConvertedAttention
from limbeck.networks.conversion.mixers.kinds import make_mixer
from limbeck.networks.datasets.seeding import seed_torch

__all__ = ["convert", "converted_layers", "put_attention", "replace_attention"]


def convert(model: Any, keep: Collection[int], hybrid: Hybrid, seed: int = 0) -> Any:
    """A copy of a model with mixers in all layers that do not keep attention.

    Parameters
    ----------
    model : PreTrainedModel
        A causal decoder of transformers; left as it is.
    keep : collection of int
        Layers that keep attention.
    hybrid : Hybrid
        Mixer and start.
    seed : int
        For weights that start at random.

    Raises
    ------
    InvalidInput
        If a layer cannot be converted; it is named.
    """
    student = copy.deepcopy(model)
    replace_attention(student, keep, hybrid, seed)
    return student


def replace_attention(model: Any, keep: Collection[int], hybrid: Hybrid, seed: int = 0) -> None:
    """Put mixers in all layers that have attention and do not keep it; the model is changed.

    Parameters
    ----------
    model : PreTrainedModel
        The model.
    keep : collection of int
        Layers that keep attention.
    hybrid : Hybrid
        Mixer and start.
    seed : int
        For weights that start at random.
    """
    blocks = decoder_layers(model)
    context = _context_of(model)
    with torch.random.fork_rng(range(torch.cuda.device_count())):
        for index, block in enumerate(blocks):
            attention = getattr(block, attention_name(block))
            if index in keep or isinstance(attention, ConvertedAttention):
                continue
            seed_torch(seed * 1_009 + index)
            mixer = make_mixer(hybrid.mixer, parts_of(attention), hybrid.start, hybrid.options)
            mixer.train(model.training)
            setattr(block, attention_name(block), ConvertedAttention(mixer, index, context))


def put_attention(model: Any, index: int, attention: nn.Module) -> nn.Module:
    """Put an attention, or what replaces it, into a block; returns what stood there.

    Parameters
    ----------
    model : PreTrainedModel
        The model; it is changed.
    index : int
        The block.
    attention : nn.Module
        What is to stand there.
    """
    block = decoder_layers(model)[index]
    before: nn.Module = getattr(block, attention_name(block))
    setattr(block, attention_name(block), attention)
    return before


def converted_layers(model: Any) -> Iterator[ConvertedAttention]:
    """The converted layers of a model, in their order."""
    for block in decoder_layers(model):
        attention = getattr(block, attention_name(block))
        if isinstance(attention, ConvertedAttention):
            yield attention


def _context_of(model: Any) -> BatchContext:
    """The context that converted layers of this model share already, or a new one."""
    for layer in converted_layers(model):
        return layer.context
    context = BatchContext()
    context.watch(model.base_model)
    return context
