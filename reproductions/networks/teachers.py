"""Ordinary training, which makes the teachers; kept in a file, so that it is done once."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn.functional import cross_entropy

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
Batches = Callable[[int], Iterable[tuple[Any, torch.Tensor]]]


def logits(net: nn.Module, inputs: Any) -> torch.Tensor:
    out = net(**inputs) if isinstance(inputs, dict) else net(inputs)
    return getattr(out, "logits", out)


def fit(
    net: nn.Module, batches: Batches, steps: int, epochs: int, optimiser: torch.optim.Optimizer,
    peak: float, warm: float | None = 0.1,
) -> nn.Module:  # fmt: skip
    """Cross-entropy in bfloat16; the rate rises to ``peak`` for a share of the steps, then falls.

    ``batches(epoch)`` gives the batches of an epoch: inputs and classes. With ``warm=None`` the
    rate stays at ``peak``.
    """
    if warm is None:
        schedule: Any = torch.optim.lr_scheduler.ConstantLR(optimiser, 1.0)
    else:
        total = steps * epochs
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, peak, total, pct_start=max(warm, 2 / total), cycle_momentum=False
        )
    net.to(DEVICE).train()
    for epoch in range(epochs):
        began, total = time.perf_counter(), 0.0
        for inputs, y in batches(epoch):
            with torch.autocast(DEVICE, torch.bfloat16):
                loss = cross_entropy(logits(net, inputs).float(), y)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            total += float(loss.detach())
        took = time.perf_counter() - began
        print(f"  epoch {epoch + 1}/{epochs}: loss {total / steps:.4f}, {took:.0f} s",
              file=sys.stderr, flush=True)  # fmt: skip
    return net.eval()


@torch.no_grad()
def accuracy(net: nn.Module, batches: Iterable[tuple[Any, torch.Tensor]]) -> float:
    """Share of rows that the network, in eval mode and float32, gets right."""
    net.eval()
    right = [(logits(net, inputs).argmax(-1) == y).float() for inputs, y in batches]
    return float(torch.cat(right).mean())


def kept(net: nn.Module, path: Path, train: Callable[[nn.Module], nn.Module]) -> nn.Module:
    """Weights from the file, or from training, which writes the file."""
    if path.is_file():
        net.load_state_dict(load_file(path))
        return net.to(DEVICE).eval()
    net = train(net)
    path.parent.mkdir(parents=True, exist_ok=True)
    weights = {k: v.detach().cpu().contiguous().clone() for k, v in net.state_dict().items()}
    partial = path.with_suffix(".part")
    save_file(weights, partial)
    partial.replace(path)
    return net.eval()
