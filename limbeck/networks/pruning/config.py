"""The configuration of a model of transformers that was cut: so that it can be saved and loaded."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from limbeck.networks.pruning.plan import CutPart

__all__ = ["refit_config"]

_FIELDS = {"layers": "num_hidden_layers", "mlp": "intermediate_size", "width": "hidden_size"}


def refit_config(module: nn.Module, lines: Sequence[CutPart], gone: Sequence[str]) -> str:
    """Let a cut model's configuration say what was cut, in place, where it can.

    Parameters
    ----------
    module : nn.Module
        The cut network.
    lines : sequence of CutPart
        What was cut.
    gone : sequence of str
        Layers that were left out.

    Returns
    -------
    str
        A note where ``save_pretrained`` would write a folder that cannot be loaded again; empty
        for other networks, and where it can.
    """
    config = getattr(module, "config", None)
    if config is None or not hasattr(config, "to_dict") or not lines:
        return ""
    new = copy.deepcopy(config)
    problem = _set(new, lines, gone) or _unlike(module, new)
    if problem:
        return (
            f"The cut {type(module).__name__} has no configuration of transformers ({problem}):"
            " result.save() keeps its weights and ONNX file, and save_pretrained would write a"
            " folder that cannot be loaded."
        )
    for name, value in vars(new).items():
        setattr(config, name, value)
    return ""


def _set(config: Any, lines: Sequence[CutPart], gone: Sequence[str]) -> str:
    """Write what was cut into a configuration; returns why that is not possible."""
    for kind in dict.fromkeys(line.kind for line in lines):
        sizes = {(p.before, p.after) for p in lines if p.kind == kind}
        if kind == "mlp":  # a pooler is as wide as the rest
            sizes = {s for s in sizes if s[0] == getattr(config, _FIELDS[kind], s[0])}
        if len(sizes) != 1:
            return f"its {kind} differ from layer to layer"
        ((before, after),) = sizes
        if kind == "heads":
            heads = getattr(config, "num_attention_heads", None)
            keys = getattr(config, "num_key_value_heads", None)
            if heads != before:
                return "its heads have another name"
            if keys is not None:
                config.num_key_value_heads = keys * after // before
            width = getattr(config, "head_dim", None) or config.hidden_size // heads
            config.num_attention_heads = after
            if hasattr(config, "head_dim"):
                config.head_dim = width
            continue
        if kind not in _FIELDS:
            return f"it has no name for {kind}"
        if kind == "width" and hasattr(config, "head_dim") and not config.head_dim:
            config.head_dim = config.hidden_size // config.num_attention_heads
        if kind == "layers":
            _cut_types(config, gone)
        inner = kind == "mlp" and hasattr(config, "n_inner")  # GPT-2's name
        setattr(config, "n_inner" if inner else _FIELDS[kind], after)
    return ""


def _cut_types(config: Any, gone: Sequence[str]) -> None:
    types = getattr(config, "layer_types", None)
    places = {int(n.rpartition(".")[2]) for n in gone if n.rpartition(".")[2].isdigit()}
    if isinstance(types, list):
        config.layer_types = [t for i, t in enumerate(types) if i not in places]


def _unlike(module: nn.Module, config: Any) -> str:
    """Why a model of this configuration is another one; empty if it is not."""
    check = getattr(config, "validate", None)
    try:
        if callable(check):
            check()
        with torch.device("meta"):
            made = type(module)(config)
    except Exception as error:
        return (str(error).splitlines() or [""])[-1].strip().rstrip(".") or type(error).__name__
    ours = {n: v.shape for n, v in module.state_dict().items()}
    theirs = {n: v.shape for n, v in made.state_dict().items()}
    odd = sorted(n for n in ours.keys() | theirs.keys() if ours.get(n) != theirs.get(n))
    return f"{odd[0]} has another shape" if odd else ""
