"""Attention layers of transformers, found and taken apart; what cannot be converted is named."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import torch
from torch import nn

from limbeck.core.errors import InvalidInput
from limbeck.networks.conversion.mixers.base import AttentionParts

__all__ = [
    "attention_layers",
    "attention_name",
    "check_scores",
    "decoder_layers",
    "heads_module",
    "parts_of",
]

_NAMES = ("self_attn", "attn", "attention")


def decoder_layers(model: Any) -> nn.ModuleList:
    """The blocks of a causal language model of transformers.

    Raises
    ------
    InvalidInput
        If it is no causal decoder, or its blocks are not found.
    """
    name, config = type(model).__name__, getattr(model, "config", None)
    if config is None or not hasattr(model, "base_model"):
        raise InvalidInput(
            f"{name} is no model of transformers.", "Give 'hf:folder', or a model it loaded."
        )
    if getattr(config, "is_encoder_decoder", False) or getattr(
        config, "add_cross_attention", False
    ):
        raise InvalidInput(
            f"{name} has cross-attention, which no recurrence replaces.",
            "Give a decoder such as Llama, Qwen or GPT-2.",
        )
    base = model.base_model
    for place in ("layers", "h"):
        found = getattr(base, place, None)
        if isinstance(found, nn.ModuleList) and len(found):
            return found
    if hasattr(base, "encoder"):
        raise InvalidInput(
            f"{name} reads in both directions: it has no causal mask, and a recurrence that"
            " replaced its attention would read from left to right only.",
            "Give a causal language model such as Llama, Qwen or GPT-2; for encoders see"
            " limbeck.networks.recurrent_encoder.",
        )
    raise InvalidInput(f"The blocks of {name} were not found.", f"Give one of {_KNOWN}.")


def attention_name(block: nn.Module) -> str:
    """The name of a block's attention.

    Raises
    ------
    InvalidInput
        If it has none, as blocks of recurrent models do.
    """
    for name in _NAMES:
        if isinstance(getattr(block, name, None), nn.Module):
            return name
    raise InvalidInput(
        f"{type(block).__name__} has no attention.", "Convert models whose blocks all have one."
    )


def attention_layers(model: Any) -> list[nn.Module]:
    """The attention of all blocks, in their order."""
    return [getattr(block, attention_name(block)) for block in decoder_layers(model)]


def parts_of(attention: nn.Module) -> AttentionParts:
    """The parts of an attention layer.

    Raises
    ------
    InvalidInput
        If it is of a kind that cannot be converted, which is named with the reason.
    """
    name = type(attention).__name__
    if getattr(attention, "is_cross_attention", False):
        raise InvalidInput(f"{name} is cross-attention.", "Keep it: convert self-attention only.")
    check_scores(attention)
    if getattr(attention, "is_causal", True) is False:
        raise InvalidInput(
            f"{name} has no causal mask.", "Give a model whose attention reads from left to right."
        )
    window = _window_of(attention)
    if window is not None:
        raise InvalidInput(
            f"{name} sees a window of {window} tokens, so its memory is constant already.",
            "Keep these layers, and convert those with full attention.",
        )
    if getattr(attention, "sinks", None) is not None:
        raise InvalidInput(f"{name} has attention sinks.", "Keep these layers.")
    if hasattr(attention, "c_attn"):
        return _gpt2(attention)
    if all(isinstance(getattr(attention, f"{n}_proj", None), nn.Linear) for n in "qkvo"):
        return _llama(attention)
    raise InvalidInput(
        f"{name} is a kind of attention that limbeck cannot convert.", f"Give one of {_KNOWN}."
    )


def check_scores(attention: Any) -> None:
    """Refuse scores that are capped before softmax, as those of Gemma 2 are.

    Parameters
    ----------
    attention : nn.Module
        An attention layer.

    Raises
    ------
    InvalidInput
        If its scores are capped.
    """
    config = getattr(attention, "config", None)
    cap = getattr(
        attention, "attn_logit_softcapping", getattr(config, "attn_logit_softcapping", None)
    )
    if cap is not None:
        raise InvalidInput(
            f"{type(attention).__name__} caps its attention scores at {cap:g}"
            " (attn_logit_softcapping), which no mixer here does.",
            "Keep these layers.",
        )


def heads_module(attention: nn.Module) -> nn.Module:
    """The module of an attention that reads what its heads return: its output projection."""
    found = getattr(attention, "o_proj", None)
    return found if isinstance(found, nn.Module) else attention.get_submodule("c_proj")


def _window_of(attention: Any) -> Any:
    """Tokens that the attention sees, where it does not see all."""
    if hasattr(attention, "sliding_window"):
        return attention.sliding_window
    config = getattr(attention, "config", None)
    if getattr(config, "layer_types", None):  # the layer would say so itself
        return None
    return getattr(config, "sliding_window", None)


def _llama(layer: Any) -> AttentionParts:
    name, size = type(layer).__name__, int(layer.head_dim)
    heads, odd = divmod(layer.q_proj.out_features, size)
    kv_heads, odd_kv = divmod(layer.k_proj.out_features, size)
    if odd or odd_kv or heads % max(kv_heads, 1):
        raise InvalidInput(
            f"{name} has {layer.q_proj.out_features} numbers of queries and"
            f" {layer.k_proj.out_features} of keys in heads of {size}.",
            "Its heads must divide both, and its key heads the query heads.",
        )
    if layer.v_proj.out_features != layer.k_proj.out_features:
        raise InvalidInput(f"{name} has values of another size than keys.", "Keep these layers.")
    _check_rotary(layer)
    return AttentionParts(
        layer.q_proj, layer.k_proj, layer.v_proj, layer.o_proj, heads, kv_heads, size,
        float(getattr(layer, "scaling", size**-0.5)),
        getattr(layer, "q_norm", None), getattr(layer, "k_norm", None), rotary=True,
    )  # fmt: skip


def _check_rotary(layer: Any) -> None:
    """Refuse positions that turn other numbers of a head than Llama's do."""
    name, config = type(layer).__name__, getattr(layer, "config", None)
    share = (getattr(config, "rope_parameters", None) or {}).get("partial_rotary_factor", 1.0)
    if share != 1.0:
        raise InvalidInput(
            f"{name} turns only {share:g} of the numbers of a head by their positions.",
            "Keep these layers.",
        )
    turn = getattr(import_module(type(layer).__module__), "rotate_half", None)
    if turn is not None and turn(torch.arange(4.0)).tolist() != [-2.0, -3.0, 0.0, 1.0]:
        raise InvalidInput(
            f"{name} turns neighbouring numbers of a head by their positions, not its halves.",
            "Keep these layers.",
        )


def _gpt2(layer: Any) -> AttentionParts:
    """GPT-2 keeps queries, keys and values in one matrix, transposed."""
    width = layer.embed_dim
    weight, bias = layer.c_attn.weight.detach(), layer.c_attn.bias.detach()
    query, key, value = (
        _linear(weight[:, i * width : (i + 1) * width].T, bias[i * width : (i + 1) * width])
        for i in range(3)
    )
    out = _linear(layer.c_proj.weight.detach().T, layer.c_proj.bias.detach())
    heads, size = int(layer.num_heads), int(layer.head_dim)
    return AttentionParts(query, key, value, out, heads, heads, size, float(layer.scaling))


def _linear(weight: torch.Tensor, bias: torch.Tensor) -> nn.Linear:
    made = nn.Linear(weight.shape[1], weight.shape[0], device=weight.device, dtype=weight.dtype)
    with torch.no_grad():
        made.weight.copy_(weight)
        made.bias.copy_(bias)
    return made


_KNOWN = "Llama, Mistral, Qwen2, Qwen3, SmolLM and other decoders with q_proj to o_proj, or GPT-2"
