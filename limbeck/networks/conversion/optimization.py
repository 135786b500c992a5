"""The loop that all stages share: AdamW, warm-up, cosine, batches by seed and step."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from limbeck.core.contract import Progress
from limbeck.core.errors import InvalidInput

__all__ = ["StageSettings", "optimize"]


@dataclass(frozen=True)
class StageSettings:
    """How a stage is trained.

    Parameters
    ----------
    steps : int
        Updates; 0 leaves the stage out.
    batch_size : int
        Blocks of tokens in an update.
    lr : float
        Largest learning rate, after a tenth of the steps; then it falls to a tenth by a cosine.
    max_grad_norm : float
        Gradients are cut to this length.
    weight_decay : float
        Of matrices.
    seed : int
        For the order of the blocks.
    """

    steps: int = 200
    batch_size: int = 8
    lr: float = 1e-3
    max_grad_norm: float = 1.0
    weight_decay: float = 0.01
    seed: int = 0


def optimize(
    parameters: Sequence[nn.Parameter],
    blocks: int,
    loss_of: Callable[[Tensor], Tensor],
    settings: StageSettings,
    stage: str,
    tell: Progress | None = None,
) -> list[dict[str, Any]]:
    """Minimise a loss of batches; returns a row of history for about every tenth of the steps.

    Parameters
    ----------
    parameters : sequence of nn.Parameter
        What is trained.
    blocks : int
        How many blocks there are.
    loss_of : callable
        From the places of some blocks, shape (batch_size,), to a loss.
    settings : StageSettings
        Steps, rate and seed.
    stage : str
        What the history calls it.
    tell : Progress, optional
        Told how far it is.

    Raises
    ------
    InvalidInput
        If the loss is not finite.
    """
    if settings.steps == 0:
        return []
    matrices = [p for p in parameters if p.ndim > 1]
    others = [p for p in parameters if p.ndim <= 1]
    groups = [
        {"params": matrices, "weight_decay": settings.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=settings.lr, betas=(0.9, 0.95))
    history: list[dict[str, Any]] = []
    total, since, began = torch.zeros(()), 0, time.process_time()
    for step in range(settings.steps):
        for group in optimizer.param_groups:
            group["lr"] = settings.lr * _rate(step, settings.steps)
        loss = loss_of(_places(step, blocks, settings))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(parameters, settings.max_grad_norm)
        optimizer.step()
        total, since = total + loss.detach().cpu(), since + 1
        if (step + 1) % max(settings.steps // 10, 1) == 0 or step + 1 == settings.steps:
            mean = float(total) / since
            if not math.isfinite(mean):
                raise InvalidInput(
                    f"The loss of stage {stage} is {mean} after {step + 1} steps.",
                    f"Lower lr, which is {settings.lr:g}.",
                )
            spent = round(time.process_time() - began, 2)
            history.append({"stage": stage, "step": step + 1, "loss": mean, "cpu_seconds": spent})
            total, since = torch.zeros(()), 0
        if tell is not None:
            tell(stage, step + 1, settings.steps)
    return history


def _rate(step: int, steps: int) -> float:
    warm = max(steps // 10, 1)
    if step < warm:
        return (step + 1) / warm
    share = (step - warm) / max(steps - warm, 1)
    return 0.1 + 0.45 * (1 + math.cos(math.pi * share))


def _places(step: int, blocks: int, settings: StageSettings) -> Tensor:
    """The blocks of a step: all blocks in an order by epoch, with no block left out."""
    size = settings.batch_size
    start = step * size
    found: list[int] = []
    while len(found) < size:
        epoch, place = divmod(start + len(found), blocks)
        generator = torch.Generator().manual_seed(settings.seed * 1_000_003 + epoch)
        order = torch.randperm(blocks, generator=generator)
        found += order[place : place + size - len(found)].tolist()
    return torch.tensor(found)
