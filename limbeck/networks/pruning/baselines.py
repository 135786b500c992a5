"""Other ways to a network of the same size, which a cut by importance has to beat."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from limbeck.core.errors import InvalidInput
from limbeck.networks.pruning.blocks import Stack, find_stacks
from limbeck.networks.pruning.prune import Cut, prune
from limbeck.networks.pruning.pruned import Pruned
from limbeck.networks.pruning.surgery import leave_out

__all__ = ["baselines_of", "last_layers", "random_cut", "reinitialised"]

_TUNED = 3  # last blocks that are trained beside the head (arXiv 2411.15558)


def baselines_of(
    module: nn.Module, cut: Cut, asked: Pruned, batch: Any
) -> tuple[dict[str, nn.Module | Callable[[], nn.Module]], list[str]]:
    """The starts of all baselines by their roles, and notes on those that there are not.

    Parameters
    ----------
    module : nn.Module
        The whole network.
    cut : Cut
        What was cut of it.
    asked : Pruned
        As what.
    batch : Any
        Inputs on which it runs.
    """
    found: dict[str, nn.Module | Callable[[], nn.Module]] = {
        "random cut": random_cut(module, cut, asked, batch),
        "from scratch": lambda: reinitialised(cut.module),
    }
    size = sum(p.numel() for p in cut.module.parameters())
    last = last_layers(module, size, batch)
    if last is None:
        return found, ["There is no cut of the last layers: no stack of blocks can be shortened."]
    found["last layers cut"] = last
    mine = sum(p.numel() for p in last.parameters())
    notes = []
    if mine > size:
        notes.append(
            f"Cutting the last layers leaves {mine:,} parameters at least, more than the"
            f" student's {size:,}."
        )
    return found, notes


def random_cut(module: nn.Module, cut: Cut, asked: Pruned, batch: Any) -> nn.Module:
    """The same number of channels and layers, drawn.

    Parameters
    ----------
    module : nn.Module
        The whole network.
    cut : Cut
        Whose shares are taken.
    asked : Pruned
        Whose seed is taken.
    batch : Any
        Inputs on which it runs.
    """
    shares: dict[str, Any] = dict(cut.shares)
    drawn = Pruned(
        **shares, importance="random", layer_importance="random", rows=asked.rows, seed=asked.seed
    )
    return prune(module, drawn, batch).module


def last_layers(module: nn.Module, size: int, batch: Any) -> nn.Module | None:
    """The network without its last layers, of which the head and the last three are trained.

    After arXiv 2411.15558. As many layers go as bring it to the size, and a quarter at least;
    what comes before the last three is frozen.

    Parameters
    ----------
    module : nn.Module
        The whole network.
    size : int
        Parameters that are to be reached.
    batch : Any
        Inputs on which it runs.

    Returns
    -------
    nn.Module or None
        None where no stack has a block to spare.
    """
    stacks = find_stacks(module, batch)
    if not stacks:
        return None
    stack = max(stacks, key=lambda s: len(s.blocks))
    most = min(len(stack.blocks), stack.size - 1)
    smaller = None
    for n in range(min(max(round(stack.size / 4), 1), most), most + 1):
        try:
            smaller = leave_out(module, stack.blocks[len(stack.blocks) - n :], batch)
        except InvalidInput:
            return smaller
        if sum(p.numel() for p in smaller.parameters()) <= size:
            break
    if smaller is not None:
        _freeze(smaller, stack)
    return smaller


def reinitialised(module: nn.Module) -> nn.Module:
    """A copy with new weights, by each layer's own ``reset_parameters`` or ``_init_weights``.

    Weights of layers without either are drawn with the mean and spread that they have; those
    that are all the same stay.

    Parameters
    ----------
    module : nn.Module
        Left as it is; torch's seed decides what is drawn.
    """
    new = copy.deepcopy(module)
    own = getattr(new, "_init_weights", None)  # transformers'
    done: set[int] = set()
    for part in new.modules():
        reset = getattr(part, "reset_parameters", None)
        if callable(reset):
            reset()
        elif not isinstance(part, nn.MultiheadAttention) or reset is None:
            continue
        done.update(id(p) for p in part.parameters(recurse=False))
    if callable(own):
        for part in new.modules():
            for p in part.parameters(recurse=False):
                p.__dict__.pop("_is_hf_initialized", None)
            own(part)
    for part in new.modules():
        for p in part.parameters(recurse=False):
            if id(p) not in done:
                _redraw(p)
    return new


def _redraw(p: Tensor) -> None:
    with torch.no_grad():
        spread = p.float().std() if p.numel() > 1 else torch.zeros(())
        if float(spread) > 0:
            p.copy_(p.float().mean() + spread * torch.randn(p.shape, device=p.device))


def _freeze(module: nn.Module, stack: Stack) -> None:
    """Let only the last three blocks of a stack learn, and what comes after it."""
    owner = module.get_submodule(stack.name)
    under = f"{stack.name}." if stack.name else ""
    blocks = [f"{under}{n}" for n, m in owner.named_children() if any(True for _ in m.parameters())]
    inside, ended = blocks[: max(len(blocks) - _TUNED, 0)], False
    if not under:  # the stack is the network: its last layer is the head
        inside, ended = blocks[: max(len(blocks) - _TUNED - 1, 0)], True
    names = [n for n, _ in module.named_parameters(remove_duplicate=False)]
    last = max((i for i, n in enumerate(names) if n.startswith(under)), default=-1)
    learning: set[int] = set()
    for at, (name, p) in enumerate(module.named_parameters(remove_duplicate=False)):
        own = name.startswith(under) and not any(name.startswith(f"{b}.") for b in inside)
        if own or (not ended and at > last):
            learning.add(id(p))
    for p in module.parameters():
        p.requires_grad_(p.requires_grad and id(p) in learning)
