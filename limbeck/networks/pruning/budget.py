"""How large a cut network is: parameters without making it, operations and time by a run."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from limbeck.modules.capture import asking, placed, run
from limbeck.networks.initialization.tracing import Trace
from limbeck.networks.pruning.blocks import RemovableBlock
from limbeck.networks.pruning.groups import Keep, indices

__all__ = ["milliseconds", "operations", "size_after"]

_CALLS, _WARM = 9, 2


def size_after(
    module: nn.Module, found: Trace, keep: Keep, gone: Collection[RemovableBlock]
) -> int:
    """Parameters that a cut would leave; tied ones count once.

    Parameters
    ----------
    module : nn.Module
        Before the cut.
    found : Trace
        The axes of its tensors.
    keep : mapping of Space to Tensor
        Channels that stay.
    gone : collection of RemovableBlock
        Blocks that are left out.
    """
    names = {b.name for b in gone}
    total = 0
    for name, value in module.named_parameters():
        if any(name.startswith(f"{b}.") for b in names):
            continue
        axes = found.axes.get(name)
        if axes is None:
            total += value.numel()
            continue
        size = 1
        for axis in axes:
            size *= len(indices(axis, keep))
        total += size
    return total


def operations(module: nn.Module, batch: Any) -> int:
    """Floating-point operations of one call, as torch's counter knows them (two per product).

    Parameters
    ----------
    module : nn.Module
        The network.
    batch : Any
        What it is called with.
    """
    counter = FlopCounterMode(display=False)
    with asking(module), counter:
        run(module, placed(batch, module))
    return int(counter.get_total_flops())


def milliseconds(module: nn.Module, batch: Any) -> float:
    """The median time of a call, of nine after two that warm up.

    Parameters
    ----------
    module : nn.Module
        The network.
    batch : Any
        What it is called with.
    """
    import time

    inputs, times = placed(batch, module), []
    device = next((p.device for p in module.parameters()), torch.device("cpu"))
    with asking(module):
        for turn in range(-_WARM, _CALLS):
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            begun = time.perf_counter()
            run(module, inputs)
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            if turn >= 0:
                times.append(1000 * (time.perf_counter() - begun))
    return sorted(times)[len(times) // 2]
