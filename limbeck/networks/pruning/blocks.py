"""Which layers of a network can be left out: repeated blocks that return what they were given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from limbeck.modules.capture import asking, hooked, placed, run
from limbeck.modules.outputs import tensor_in

__all__ = ["RemovableBlock", "Seen", "Stack", "find_stacks", "without_blocks"]


@dataclass(frozen=True, eq=False)
class Seen:
    """What entered and left a layer on the batch, and all that it was called with."""

    before: Tensor
    after: Tensor
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class RemovableBlock:
    """One layer that can be left out.

    ``name`` is as in ``named_modules``; ``followers`` are layers without weights, such as an
    activation, that go with it.
    """

    name: str
    followers: tuple[str, ...]
    seen: Seen


@dataclass(frozen=True, eq=False)
class Stack:
    """A ``ModuleList`` or ``Sequential`` of blocks.

    Parameters
    ----------
    name : str
        Of the list; empty where the network is one.
    size : int
        Number of its layers that hold matrices, which norms do not.
    blocks : tuple of RemovableBlock
        Those that can be left out, in their order.
    adds : bool
        Whether blocks add to what they are given (residual ones), so that all share channels.
    """

    name: str
    size: int
    blocks: tuple[RemovableBlock, ...]
    adds: bool


def find_stacks(module: nn.Module, batch: Any) -> tuple[Stack, ...]:
    """The stacks of a network whose blocks can be left out, in the order of ``named_modules``.

    A block can be left out where it runs once and returns a tensor of the shape that it was
    given. Where blocks add to what they were given (residual ones), the innermost of these are
    taken; else the outermost that keep the shape.

    Parameters
    ----------
    module : nn.Module
        Run once in eval mode; left as it is.
    batch : Any
        What it is called with.
    """
    lists = {
        name: owner
        for name, owner in module.named_modules()
        if isinstance(owner, nn.ModuleList | nn.Sequential)
    }
    members = {
        _under(name, child): layer
        for name, owner in lists.items()
        for child, layer in owner.named_children()
    }
    seen = _watch(module, batch, members)
    keeps = [n for n in seen if _sums(members[n])]
    adding = [n for n in keeps if _adds(members[n], seen[n])]
    if adding:
        chosen = [n for n in adding if not any(m.startswith(f"{n}.") for m in adding)]
    else:
        chosen = [n for n in keeps if not any(n.startswith(f"{m}.") for m in keeps)]
    out = []
    for name, owner in lists.items():
        below = [(_under(name, n), m) for n, m in owner.named_children()]
        own = [n for n, _ in below if n in chosen]
        if own:
            size = sum(_sums(m) for _, m in below)
            blocks = tuple(RemovableBlock(n, _followers(n, below, seen), seen[n]) for n in own)
            out.append(Stack(name, size, blocks, bool(adding)))
    return tuple(out)


def without_blocks(module: nn.Module, names: Sequence[str]) -> None:
    """Leave blocks, and their followers, out of the lists that hold them, in place.

    Parameters
    ----------
    module : nn.Module
        Changed.
    names : sequence of str
        Layers as in ``named_modules``; the rest of each list moves up.
    """
    by_owner: dict[str, list[str]] = {}
    for name in names:
        owner, _, child = name.rpartition(".")
        by_owner.setdefault(owner, []).append(child)
    for owner, gone in by_owner.items():
        stack = module.get_submodule(owner)
        kept = [(n, m) for n, m in stack.named_children() if n not in gone]
        numbered = all(n.isdigit() for n, _ in stack.named_children())
        for child, _ in list(stack.named_children()):
            del stack._modules[child]
        for place, (child, layer) in enumerate(kept):
            stack._modules[str(place) if numbered else child] = layer


def _watch(module: nn.Module, batch: Any, members: Mapping[str, nn.Module]) -> dict[str, Seen]:
    """What layers saw that ran once and returned a tensor of the shape that they were given."""
    found: dict[str, Seen] = {}
    times: dict[str, int] = {}

    def hook(name: str) -> Any:
        def see(_: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
            before, after = _first([*args, *kwargs.values()]), tensor_in(output)
            times[name] = times.get(name, 0) + 1
            if before is not None and after is not None and before.shape == after.shape:
                found[name] = Seen(before.clone(), after.clone(), args, dict(kwargs))

        return see

    hooks = [(m, hook(n)) for n, m in members.items()]
    with hooked(hooks, with_kwargs=True), asking(module):
        run(module, placed(batch, module))
    return {n: s for n, s in found.items() if times[n] == 1}


def _adds(layer: nn.Module, seen: Seen) -> bool:
    """Whether, with its matrices at zero, what a layer returns still varies with its input."""
    zeros = {n: torch.zeros_like(p) if p.ndim > 1 else p for n, p in layer.named_parameters()}
    try:
        with asking(layer):
            out = tensor_in(torch.func.functional_call(layer, zeros, seen.args, dict(seen.kwargs)))
    except (RuntimeError, TypeError, ValueError):  # it cannot be called on its own
        return False
    return out is not None and len(out) > 1 and bool((out - out[:1]).abs().max() > 0)


def _sums(layer: nn.Module) -> bool:
    return any(p.ndim > 1 for p in layer.parameters())


def _followers(
    name: str, below: Sequence[tuple[str, nn.Module]], seen: Mapping[str, Seen]
) -> tuple[str, ...]:
    """Layers without weights right after a leaf that keep the shape, up to the next with weights.

    A block brings its own activation.
    """
    names = [n for n, _ in below]
    at = names.index(name)
    if any(True for _ in below[at][1].children()):
        return ()
    out = []
    for other, layer in below[at + 1 :]:
        if any(True for _ in layer.parameters()) or other not in seen:
            break
        out.append(other)
    return tuple(out)


def _first(values: Sequence[Any]) -> Tensor | None:
    return next((v for v in values if isinstance(v, Tensor) and v.is_floating_point()), None)


def _under(parent: str, name: str) -> str:
    return f"{parent}.{name}" if parent else name
