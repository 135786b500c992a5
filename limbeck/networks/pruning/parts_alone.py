"""A network without each of its parts in turn: one layer, or a share of one group of channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from limbeck.networks.pruning.plan import check_kinds, parts_of, units_of
from limbeck.networks.pruning.pruned import Pruned
from limbeck.networks.pruning.surgery import leave_out

__all__ = ["PartAlone", "each_part"]


@dataclass(frozen=True, eq=False)
class PartAlone:
    """The network without one part; ``removed`` says how much of it went."""

    name: str
    kind: str
    removed: str
    module: nn.Module


def each_part(
    module: nn.Module, asked: Pruned, batch: Any, labels: Tensor | None = None
) -> list[PartAlone]:
    """Cut every part of the kinds that are named, alone.

    Parameters
    ----------
    module : nn.Module
        Left as it is.
    asked : Pruned
        Shares: of every group of channels so much stays; of layers each block goes.
    batch : Any
        Inputs on which importance is measured.
    labels : Tensor or None
        Their labels.

    Examples
    --------
    >>> import torch
    >>> net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, 2))
    >>> [(p.name, p.removed) for p in each_part(net, Pruned(mlp=0.5), torch.randn(9, 4))]
    [('0', '4 of 8'), ('2', '3 of 6')]
    """
    parts = parts_of(module, batch, labels)
    check_kinds(parts, asked.shares)
    out = []
    if "layers" in asked.shares:
        for stack in parts.stacks:
            for block in stack.blocks:
                less = leave_out(module, [block], batch)
                out.append(PartAlone(block.name, "layers", "the layer", less))
    keep = units_of(parts, asked.shares, [])
    for place, n in keep.items():
        group = parts.groups[place]
        if n < group.units:
            each = group.heads // group.units if group.kind == "heads" else 1
            removed = f"{(group.units - n) * each} of {group.units * each}"
            less = parts.narrowed(parts.keep({place: n}, asked.importance, asked.seed))
            out.append(PartAlone(group.name, group.kind, removed, less))
    return out
