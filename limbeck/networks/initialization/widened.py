"""The same network with wider hidden layers, where it is a chain of layers."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["parameters_of", "widened"]

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
_KEPT = (
    nn.ReLU, nn.GELU, nn.SiLU, nn.Tanh, nn.Sigmoid, nn.LeakyReLU, nn.ELU, nn.Dropout, nn.Dropout2d,
    nn.Flatten, nn.Identity, nn.MaxPool1d, nn.MaxPool2d, nn.AvgPool1d, nn.AvgPool2d,
    nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d,
)  # fmt: skip
_HALVINGS = 12


def widened(
    maker: nn.Module | Callable[[], Any], inputs: Any, factor: float = 2.0
) -> Callable[[], nn.Module] | None:
    """What makes the same network with hidden layers so wide that it has ``factor`` times the size.

    All hidden layers become wider by one ratio, which is found by bisection. Weights are drawn
    anew, as each layer draws its own.

    Parameters
    ----------
    maker : nn.Module or callable
        The network, or what makes one.
    inputs : Tensor
        A batch that it is called with.
    factor : float
        Times the parameters that it has.

    Returns
    -------
    callable or None
        None where it is no chain (``nn.Sequential``, also nested) of linear layers, convolutions
        without groups, batch and layer norms, activations, pooling, dropout and flattening.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 2))
    >>> wider = widened(net, torch.zeros(4, 8))()
    >>> parameters_of(wider) / parameters_of(net)
    2.0505...
    """
    with torch.random.fork_rng():
        net = maker if isinstance(maker, nn.Module) else maker()
        if not isinstance(inputs, Tensor) or not isinstance(net, nn.Sequential):
            return None
        net = copy.deepcopy(net).cpu().eval()
        layers, x = _chain(net), inputs.detach().cpu()
        if layers is None or sum(isinstance(m, _WIDE) for m in layers) < 2:
            return None
        wanted, low, high = factor * parameters_of(net), 1.0, max(factor, 1.0) + 1
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            if parameters_of(_wider(layers, x, middle)) < wanted:
                low = middle
            else:
                high = middle
    return lambda: _wider(layers, x, high).train()


_WIDE = (nn.Linear, *_CONVOLUTIONS)


def parameters_of(net: nn.Module) -> int:
    """Number of parameters."""
    return sum(p.numel() for p in net.parameters())


def _chain(net: nn.Sequential) -> list[nn.Module] | None:
    """Layers in the order in which they are called; None where one is not known."""
    found: list[nn.Module] = []
    for layer in net:
        inner = _chain(layer) if isinstance(layer, nn.Sequential) else [layer]
        if inner is None:
            return None
        found += inner
    known = (*_WIDE, *_NORMS, nn.LayerNorm, *_KEPT)
    plain = all(type(m) in known and getattr(m, "groups", 1) == 1 for m in found)
    return found if plain else None


@torch.no_grad()
def _wider(layers: list[nn.Module], x: Tensor, ratio: float) -> nn.Sequential:
    """The chain with other widths; what each layer reads is seen from a batch on the way."""
    last = max(i for i, m in enumerate(layers) if isinstance(m, _WIDE))
    made: list[nn.Module] = []
    for i, layer in enumerate(layers):
        new = _layer(layer, x, 1.0 if i == last else ratio)
        x = new.eval()(x)
        made.append(new)
    return nn.Sequential(*made)


def _layer(layer: nn.Module, x: Tensor, ratio: float) -> nn.Module:
    bias = getattr(layer, "bias", None) is not None
    if isinstance(layer, nn.Linear):
        return nn.Linear(x.shape[-1], max(1, round(ratio * layer.out_features)), bias)
    if isinstance(layer, _CONVOLUTIONS):
        return type(layer)(
            x.shape[1], max(1, round(ratio * layer.out_channels)), layer.kernel_size,  # type: ignore[arg-type]
            stride=layer.stride, padding=layer.padding, dilation=layer.dilation, bias=bias,  # type: ignore[arg-type]
            padding_mode=layer.padding_mode,
        )  # fmt: skip
    if isinstance(layer, _NORMS):
        return type(layer)(x.shape[1], layer.eps, layer.momentum, layer.affine)
    if isinstance(layer, nn.LayerNorm):
        shape = tuple(x.shape[-len(layer.normalized_shape) :])
        return nn.LayerNorm(shape, layer.eps, layer.elementwise_affine, bias)
    return copy.deepcopy(layer)
