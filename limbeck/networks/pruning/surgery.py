"""The cut itself: a copy of a network with fewer channels and blocks."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from limbeck.core.errors import InvalidInput
from limbeck.modules.capture import asking, placed
from limbeck.modules.outputs import answer
from limbeck.networks.initialization.spaces import Axis
from limbeck.networks.initialization.tracing import Trace
from limbeck.networks.pruning.blocks import RemovableBlock, without_blocks
from limbeck.networks.pruning.groups import ChannelGroup, Keep, indices

__all__ = ["cut", "leave_out"]


def cut(
    module: nn.Module, found: Trace, groups: Sequence[ChannelGroup], keep: Keep, batch: Any
) -> nn.Module:
    """A copy of a network without some channels.

    Parameters
    ----------
    module : nn.Module
        Left as it is.
    found : Trace
        The axes of its tensors.
    groups : sequence of ChannelGroup
        All that can be cut.
    keep : mapping of Space to Tensor
        The channels that stay, of the groups that are cut.
    batch : Any
        What the copy is called with, to see that it runs.

    Raises
    ------
    InvalidInput
        If the copy does not run, since its code counts on the number of channels.
    """
    cuts = [g for g in groups if g.space in keep]
    trials = [_heads, _sizes] if any(g.kind == "heads" for g in cuts) else [_heads]
    problem = ""
    for trial in trials:
        smaller = copy.deepcopy(module)
        _narrow(smaller, found, keep)
        for group in cuts:
            trial(smaller, group, len(keep[group.space]))
        problem = _problem(smaller, module, batch)
        if not problem:
            return smaller
    kinds = ", ".join(dict.fromkeys(g.kind for g in cuts))
    raise InvalidInput(
        f"{type(module).__name__} does not run once it is cut ({kinds}): {problem}.",
        "Its code counts on the number of channels: cut other kinds, such as Pruned(mlp=0.5), or"
        " read the number from the weights.",
    )


def leave_out(module: nn.Module, gone: Sequence[RemovableBlock], batch: Any) -> nn.Module:
    """A copy of a network without some blocks.

    Parameters
    ----------
    module : nn.Module
        Left as it is.
    gone : sequence of RemovableBlock
        Blocks that are left out.
    batch : Any
        What the copy is called with, to see that it runs.

    Raises
    ------
    InvalidInput
        If the copy does not run.
    """
    smaller = copy.deepcopy(module)
    without_blocks(smaller, [n for b in gone for n in (b.name, *b.followers)])
    _renumber(smaller, gone)
    problem = _problem(smaller, module, batch)
    if problem:
        raise InvalidInput(
            f"{type(module).__name__} does not run without {gone[0].name}: {problem}.",
            "Cut channels instead, such as Pruned(mlp=0.5).",
        )
    return smaller


def _problem(smaller: nn.Module, module: nn.Module, batch: Any) -> str:
    """Why a cut network cannot be used in place of the whole one; empty if it can."""
    inputs = placed(batch, module)
    with asking(module):
        before = answer(module, inputs)
    try:
        with asking(smaller):
            after = answer(smaller, inputs)
    except (RuntimeError, ValueError, IndexError, TypeError, AssertionError) as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0]}"
    if after.shape != before.shape:
        return f"it returns the shape {tuple(after.shape)} instead of {tuple(before.shape)}"
    return ""


def _narrow(module: nn.Module, found: Trace, keep: Keep) -> None:
    """Take the channels that stay out of every tensor, and tell torch's layers their new sizes."""
    made: dict[int, nn.Parameter] = {}  # tied weights stay tied
    for name, part in module.named_modules():
        changed: dict[str, tuple[torch.Size, torch.Size]] = {}
        axes_of = {}
        for own, value in [*part._parameters.items(), *part._buffers.items()]:
            axes = found.axes.get(f"{name}.{own}" if name else own)
            if value is None or axes is None:
                continue
            taken = _taken(value, axes, keep)
            if taken.shape == value.shape:
                continue
            changed[own], axes_of[own] = (value.shape, taken.shape), axes
            if isinstance(value, nn.Parameter):
                part._parameters[own] = made.setdefault(
                    id(value), nn.Parameter(taken.detach().clone(), value.requires_grad)
                )
            else:
                part._buffers[own] = taken.clone()
        if changed:
            _resize(part, changed)


def _taken(value: Tensor, axes: Sequence[Axis], keep: Keep) -> Tensor:
    with torch.no_grad():
        for dim, axis in enumerate(axes):
            index = indices(axis, keep)
            if len(index) < value.shape[dim]:
                value = value.index_select(dim, index.to(value.device))
    return value


def _resize(part: nn.Module, changed: Mapping[str, tuple[torch.Size, torch.Size]]) -> None:
    """The sizes that a layer keeps beside its weights."""
    weight = changed.get("weight", next(iter(changed.values())))
    old, new = weight
    if isinstance(part, nn.Linear):
        part.out_features, part.in_features = new[0], new[1]
    elif isinstance(part, nn.modules.conv._ConvNd):
        _resize_convolution(part, old, new)
    elif isinstance(part, nn.modules.batchnorm._NormBase):
        part.num_features = new[0]
    elif isinstance(part, nn.LayerNorm | nn.RMSNorm):
        part.normalized_shape = tuple(new)
    elif isinstance(part, nn.GroupNorm):
        part.num_channels = new[0]
    elif isinstance(part, nn.Embedding):
        part.num_embeddings, part.embedding_dim = new[0], new[1]
    elif type(part).__name__ == "Conv1D":  # of transformers' GPT-2
        vars(part).update(nx=new[0], nf=new[1])
    else:
        for attribute, value in _whole_numbers(part):
            sizes = {b for a, b in zip(old, new, strict=True) if a == value}
            if len(sizes) == 1 and sizes != {value}:
                setattr(part, attribute, sizes.pop())


def _resize_convolution(part: Any, old: torch.Size, new: torch.Size) -> None:
    groups = part.groups
    turned = isinstance(part, nn.modules.conv._ConvTransposeNd)
    if groups > 1 and new[1] == old[1]:  # whole groups left, as those of a depthwise one
        groups = groups * new[0] // old[0]
    own, other = (new[0], new[1] * groups)
    part.in_channels, part.out_channels = (own, other) if turned else (other, own)
    part.groups = groups


def _heads(module: nn.Module, group: ChannelGroup, kept: int) -> None:
    """Numbers of heads, and of all their channels, in attributes that speak of heads."""
    _renamed(module, group, kept, lambda name: "head" in name.lower())


def _sizes(module: nn.Module, group: ChannelGroup, kept: int) -> None:
    """The same in any attribute of the attention's own layer."""
    _renamed(module, group, kept, lambda name: True)


def _renamed(module: nn.Module, group: ChannelGroup, kept: int, speaks: Any) -> None:
    if group.kind != "heads":
        return
    many = kept // group.each
    owners = {t.rpartition(".")[0].rpartition(".")[0] for t in group.tensors}
    for owner in owners:
        part = module.get_submodule(owner)
        if isinstance(part, nn.ModuleList | nn.Sequential):
            continue
        for attribute, value in _whole_numbers(part):
            if speaks(attribute) and value == group.units:
                setattr(part, attribute, many)
            elif speaks(attribute) and group.each > 1 and value == group.units * group.each:
                setattr(part, attribute, kept)


def _whole_numbers(part: nn.Module) -> list[tuple[str, int]]:
    return [(n, v) for n, v in vars(part).items() if type(v) is int and not n.startswith("_")]


def _renumber(module: nn.Module, gone: Sequence[RemovableBlock]) -> None:
    """Numbers of layers that attention keeps for its cache (transformers' ``layer_idx``)."""
    if not gone:
        return
    found = [(m, getattr(m, "layer_idx", None)) for m in module.modules()]
    numbered = [(m, at) for m, at in found if type(at) is int]
    order = {old: new for new, old in enumerate(sorted({at for _, at in numbered}))}
    for part, at in numbered:
        setattr(part, "layer_idx", order[at])  # noqa: B010  (no attribute that torch knows)
