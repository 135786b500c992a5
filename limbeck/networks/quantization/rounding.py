"""A network whose linear layers are rounded, in training and for good, by torchao."""

from __future__ import annotations

import copy
from collections.abc import Collection
from typing import Any

import torch
from torch import nn

from limbeck.core.errors import InvalidInput, MissingExtra
from limbeck.export.onnx_graph import quiet
from limbeck.networks.quantization.quantized import Quantized

__all__ = ["layers_to_round", "quantize", "rounded", "rounded_in_training"]

_TALK = ("torchao", "torch.utils._pytree")  # of kernels for graphics cards, and of enums


def layers_to_round(module: nn.Module, asked: Quantized) -> tuple[str, ...]:
    """The linear layers whose weights are rounded: those that hold them alone.

    Parameters
    ----------
    module : nn.Module
        The network.
    asked : Quantized
        Whose groups have to fit.

    Raises
    ------
    InvalidInput
        If there are none.
    """
    linear = {n: m for n, m in module.named_modules() if type(m) is nn.Linear}
    if not linear:
        raise InvalidInput(
            f"{type(module).__name__} has no torch.nn.Linear, whose weights could be quantized.",
            "Cut it instead, such as into=Pruned(size=0.5).",
        )
    held: dict[int, int] = {}
    for _, weight in module.named_parameters(remove_duplicate=False):
        held[id(weight)] = held.get(id(weight), 0) + 1
    group = asked.group
    found = tuple(
        name
        for name, layer in linear.items()
        if held[id(layer.weight)] == 1 and (group is None or layer.in_features % group == 0)
    )
    if not found:
        widths = sorted({m.in_features for m in linear.values()})
        raise InvalidInput(
            f"No linear layer of {type(module).__name__} can be quantized in groups of {group}:"
            f" they read {', '.join(map(str, widths[:5]))} inputs, or share their weights.",
            "Give a group_size that divides them, or weights='int8'.",
        )
    return found


def rounded_in_training(module: nn.Module, asked: Quantized) -> nn.Module:
    """A copy that computes with rounded weights, and whose gradients reach the unrounded ones.

    Parameters
    ----------
    module : nn.Module
        Left as it is.
    asked : Quantized
        How weights are rounded.
    """
    return _changed(module, asked, layers_to_round(module, asked), "prepare")


def rounded(module: nn.Module, asked: Quantized) -> nn.Module:
    """A copy of what `rounded_in_training` made whose weights are stored as whole numbers.

    Parameters
    ----------
    module : nn.Module
        Left as it is.
    asked : Quantized
        As it was made.
    """
    kind = _torchao().qat.FakeQuantizedLinear
    names = [n for n, m in module.named_modules() if isinstance(m, kind)]
    return _changed(module, asked, names, "convert")


def quantize(module: nn.Module, weights: Any = "int8", group_size: int | None = None) -> nn.Module:
    """A copy of a network with rounded weights, without any training.

    Parameters
    ----------
    module : nn.Module
        Left as it is.
    weights : {"int8", "int4"}
        See `limbeck.networks.Quantized`.
    group_size : int, optional
        See `limbeck.networks.Quantized`.

    Raises
    ------
    InvalidInput
        If no layer can be quantized, or a setting is out of range.
    MissingExtra
        If torchao is not installed.

    Examples
    --------
    >>> small = quantize(torch.nn.Linear(32, 4), "int4")  # doctest: +SKIP
    """
    asked = Quantized(weights, group_size)
    return rounded(rounded_in_training(module, asked), asked)


def _changed(module: nn.Module, asked: Quantized, names: Collection[str], step: str) -> nn.Module:
    """A copy in which torchao changed these layers."""
    ao = _torchao()
    out = copy.deepcopy(module)
    kind = getattr(torch, asked.weights)
    group = asked.group
    base = ao.IntxWeightOnlyConfig(
        weight_dtype=kind, granularity=ao.PerAxis(0) if group is None else ao.PerGroup(group)
    )
    chosen = set(names)
    with quiet(*_TALK):
        ao.quantize_(
            out, ao.qat.QATConfig(base, step=step), filter_fn=lambda _, name: name in chosen
        )
    return out


def _torchao() -> Any:
    """torchao.quantization, imported where it is needed."""
    try:
        with quiet(*_TALK):
            import torchao.quantization as ao
            import torchao.quantization.qat  # noqa: F401  (an attribute of the other)
    except ImportError:
        raise MissingExtra(
            "Quantized(...) needs the package torchao.", "pip install 'limbeck[quantization]'."
        ) from None
    return ao
