"""How important each channel of a network is: by its weights, or by what it gives on a batch."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Literal

import torch
from torch import Tensor

from limbeck.networks.initialization.spaces import Axis, Space

__all__ = ["Importance", "by_activation", "by_norm"]

Importance = Literal["activation", "norm"]


def by_norm(
    weights: Mapping[str, Tensor], axes: Mapping[str, tuple[Axis, ...]]
) -> dict[Space, Tensor]:
    """The norm of all weights that hold a channel.

    The sum, over these weights, of the channel's share of the weight's squared norm (group norm:
    Fang et al. 2023, DepGraph; here every weight counts alike).

    Parameters
    ----------
    weights : mapping of str to Tensor
        The network's parameters.
    axes : mapping of str to tuple of Axis
        Their axes; see `limbeck.networks.initialization.tracing.trace`.

    Returns
    -------
    dict of Space to Tensor of shape (channels,)
    """
    out: dict[Space, Tensor] = {}
    for name, value in weights.items():
        for dim, axis in enumerate(axes.get(name, ())):
            rest = [d for d in range(value.ndim) if d != dim]
            square = value.double().square()
            _add(out, axis, square.sum(rest) if rest else square)
    return out


def by_activation(reads: Iterable[tuple[Axis, Tensor]]) -> dict[Space, Tensor]:
    """How much of what layers sum varies from row to row by a channel.

    The sum, over all weights that read a channel, of its share of Var(x_j) |w_j|^2: the weighted
    variance of inputs of An et al. (2024), FLAP. A channel that gives the same for all rows and
    places has none, however large it is. Channels that no weight reads are absent.

    Parameters
    ----------
    reads : iterable of (Axis, Tensor)
        As in `limbeck.networks.initialization.tracing.Trace`.

    Returns
    -------
    dict of Space to Tensor of shape (channels,)
    """
    out: dict[Space, Tensor] = {}
    for axis, given in reads:
        _add(out, axis, given)
    return out


def _add(out: dict[Space, Tensor], axis: Axis, along: Tensor) -> None:
    """Add, to every set of channels along an axis, each channel's share of the whole."""
    total = along.sum()
    if total > 0:
        _spread(out, axis, along / total)


def _spread(out: dict[Space, Tensor], axis: Axis, shares: Tensor) -> None:
    table = shares.reshape([f.size for f in axis])
    for at, factor in enumerate(axis):
        others = [d for d in range(len(axis)) if d != at]
        share = table.sum(others) if others else table
        if factor.parts:
            sizes = [math.prod(f.size for f in part) for part in factor.parts]
            for part, own in zip(factor.parts, torch.split(share, sizes), strict=True):
                _spread(out, part, own)
        elif factor.space is not None and factor.piece is None:
            root = factor.space.root()
            out[root] = out[root] + share if root in out else share
