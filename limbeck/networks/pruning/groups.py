"""Which channels of a network can be left out together: heads, neurons, width, convolutions."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from limbeck.networks.initialization.spaces import Axis, Space
from limbeck.networks.initialization.tracing import Trace, trace
from limbeck.networks.pruning.blocks import Stack

__all__ = ["ChannelGroup", "Keep", "find_groups", "indices"]

Keep = Mapping[Space, Tensor]
"""For each set of channels that is cut, the indices that stay."""


@dataclass(frozen=True, eq=False)
class ChannelGroup:
    """Channels that are left out together, in every tensor that writes or reads them.

    Parameters
    ----------
    name : str
        The layers that write them.
    kind : str
        One of heads, mlp, width, channels.
    space : Space
        The channels, as they were followed.
    units : int
        How many can be left out, each for itself: heads, or channels.
    each : int
        Channels of one unit.
    parts : int
        As many are kept in each of so many parts: the groups of a group norm.
    tensors : tuple of str
        Weights that hold them.
    heads : int
        Of heads: how many there are, where several share their keys (grouped queries) more than
        units; else units.
    """

    name: str
    kind: str
    space: Space
    units: int
    each: int = 1
    parts: int = 1
    tensors: tuple[str, ...] = ()
    heads: int = 0

    def best(self, scores: Tensor, n: int) -> Tensor:
        """Channels of the n units that score highest, in their order.

        Parameters
        ----------
        scores : Tensor of shape (channels,)
            How important each channel is.
        n : int
            Units to keep; a multiple of ``parts``.
        """
        table = scores.reshape(self.units, self.each).sum(1)
        rows = table.reshape(self.parts, -1)
        size = rows.shape[1]
        top = torch.argsort(rows, dim=1, descending=True, stable=True)[:, : n // self.parts]
        units = (top.sort(1).values + size * torch.arange(self.parts)[:, None]).flatten()
        return (units[:, None] * self.each + torch.arange(self.each)).flatten()


@dataclass
class _Channels:
    """Where a set of channels stands: tensors that hold it, and those whose rows write it."""

    tensors: list[str] = field(default_factory=list)
    writers: list[str] = field(default_factory=list)
    outer: bool = False  # the outermost of several factors, such as the groups of keys
    inner: bool = False  # another one of several factors
    shared: int = 1  # queries of one group of keys


def find_groups(
    module: nn.Module, batch: Any, stacks: Sequence[Stack]
) -> tuple[Trace, tuple[ChannelGroup, ...]]:
    """Follow all channels through one run, and say which can be left out.

    Parameters
    ----------
    module : nn.Module
        Run once in eval mode; left as it is.
    batch : Any
        What it is called with.
    stacks : sequence of Stack
        Its repeated blocks: channels that several of them write are the width.

    Returns
    -------
    Trace
        The axes of all tensors.
    tuple of ChannelGroup
        In the order of the state.
    """
    found = trace(module, batch)
    for name, part in module.named_modules():
        if isinstance(part, nn.MultiheadAttention):  # its heads are as wide as the network
            for own in part.state_dict():
                for axis in found.axes.get(f"{name}.{own}" if name else own, ()):
                    for channels, _, _ in _spaces(axis):
                        channels.fixed = True
    held: dict[Space, _Channels] = {}
    for tensor, axes in found.axes.items():
        for dim, axis in enumerate(axes):
            for channels, place, many in _spaces(axis):
                place_of = held.setdefault(channels, _Channels())
                if many and place == 0:
                    place_of.shared = max(place_of.shared, math.prod(f.size for f in axis[1:-1]))
                place_of.tensors += [] if tensor in place_of.tensors else [tensor]
                if dim == _written(module, tensor, len(axes)) and tensor not in place_of.writers:
                    place_of.writers.append(tensor)
                place_of.outer |= many and place == 0
                place_of.inner |= many and place > 0
    read = {space for axis, _ in found.reads for space, _, _ in _spaces(axis)}
    groups = [_group(module, s, h, stacks) for s, h in held.items() if s in read]
    return found, tuple(g for g in groups if g is not None)


def indices(axis: Axis, keep: Keep) -> Tensor:
    """Which entries along an axis of a tensor stay.

    Parameters
    ----------
    axis : Axis
        The channels along it.
    keep : mapping of Space to Tensor
        What stays of each set of channels; all of those that are not named.
    """
    out = torch.zeros(1, dtype=torch.int64)
    for factor in axis:
        if factor.parts:
            each, first = [], 0
            for part in factor.parts:
                each.append(first + indices(part, keep))
                first += math.prod(f.size for f in part)
            kept = torch.cat(each)
        else:
            root = None if factor.space is None else factor.space.root()
            whole = torch.arange(factor.size)
            kept = whole if root is None or factor.piece is not None else keep.get(root, whole)
        out = (out[:, None] * factor.size + kept[None, :]).flatten()
    return out


def _spaces(axis: Axis, at: int = 0, several: bool = False) -> Iterator[tuple[Space, int, bool]]:
    """Sets of channels along an axis, each with its place among factors, and if there are more."""
    for place, factor in enumerate(axis, start=at):
        many = several or len(axis) > 1
        for part in factor.parts:
            yield from _spaces(part, place, many)
        if factor.space is not None and factor.piece is None:
            yield factor.space.root(), place, many


def _written(module: nn.Module, tensor: str, dims: int) -> int:
    """The axis of a weight that its layer writes; -1 where it writes none of its own."""
    owner = module.get_submodule(tensor.rpartition(".")[0])
    if dims < 2:
        return -1
    if isinstance(owner, nn.Embedding):
        return 1
    turned = isinstance(owner, nn.modules.conv._ConvTransposeNd)
    return 1 if turned or type(owner).__name__ == "Conv1D" else 0


def _group(
    module: nn.Module, space: Space, held: _Channels, stacks: Sequence[Stack]
) -> ChannelGroup | None:
    if space.fixed or space.lost or space.size < 2 or not held.writers or held.inner:
        return None
    owners = {t: module.get_submodule(t.rpartition(".")[0]) for t in held.tensors}
    kernels = [t for t in held.writers if _kernel(owners[t])]
    blocks = [b.name for s in stacks if s.adds for b in s.blocks]
    spans = {b for b in blocks if any(t.startswith(f"{b}.") for t in held.tensors)}
    embedded = any(isinstance(o, nn.Embedding) for o in owners.values())
    wide = len(kernels) <= 1 and (embedded or len(spans) > 1) and len(held.writers) > len(kernels)
    split = space.split if space.split is not None and len(space.split) == 2 else None
    if space.split is not None and split is None:
        return None
    units, each, parts, kind = space.size, 1, 1, "mlp"
    if kernels:
        kind = "channels"
    if wide:
        kind = "width"
    if kind == "mlp" and blocks and not spans:
        return None  # between the blocks and the outputs, such as a pooler
    if held.outer and not kernels:
        kind = "heads"
    elif split is not None and any(isinstance(o, nn.GroupNorm) for o in owners.values()):
        parts = split[0]
    elif split is not None and kind == "mlp":
        units, each, kind = split[0], split[1], "heads"
    elif split is not None:
        return None
    layers = list(dict.fromkeys(t.rpartition(".")[0] for t in held.writers))
    name = "width" if kind == "width" else _named(layers)
    heads = units * (held.shared if kind == "heads" else 1)
    return ChannelGroup(name, kind, space, units, each, parts, tuple(held.tensors), heads)


def _kernel(owner: nn.Module) -> bool:
    return isinstance(owner, nn.modules.conv._ConvNd)


def _named(layers: Sequence[str]) -> str:
    """What the layers that write a group have in common, or the first of them."""
    if len(layers) == 1:
        return layers[0]
    parts = [name.split(".") for name in layers]
    shared = []
    for same in zip(*parts, strict=False):
        if len(set(same)) > 1:
            break
        shared.append(same[0])
    ends = [".".join(p[len(shared) :]) for p in parts]
    few = ", ".join(ends[:3]) + (f" and {len(ends) - 3} more" if len(ends) > 3 else "")
    return f"{'.'.join(shared)} ({few})" if shared else few
