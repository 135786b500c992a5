"""How a stage of a conversion is trained: by the trainer of all networks, so that it resumes."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from limbeck.core.progress import Progress, quiet
from limbeck.core.task import Task
from limbeck.networks.datasets.data import Samples
from limbeck.networks.datasets.sources import Arrays
from limbeck.networks.training.callbacks import Callback
from limbeck.networks.training.settings import Training
from limbeck.networks.training.train import Trained, train

__all__ = ["StageSamples", "StageSettings", "train_stage"]

_ROWS = 10  # of the history of a stage, about


@dataclass(frozen=True)
class StageSettings:
    """How a stage is trained.

    Parameters
    ----------
    steps : int
        Updates.
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
    checkpoint_every : int, optional
        Updates from one checkpoint to the next, where a folder is given; by default one an epoch.
    callbacks : sequence of Callback
        Called while each stage is trained; they change no result.
    """

    steps: int = 200
    batch_size: int = 8
    lr: float = 1e-3
    max_grad_norm: float = 1.0
    weight_decay: float = 0.01
    seed: int = 0
    checkpoint_every: int | None = None
    callbacks: Sequence[Callback] = field(default=(), compare=False)

    @property
    def training(self) -> Training:
        """The same as settings of the trainer."""
        return Training(
            batch_size=self.batch_size, max_steps=self.steps, schedule=to_a_tenth,
            optimizer=_MatricesDecay(self.lr, self.weight_decay), warmup_ratio=0.1,
            max_grad_norm=self.max_grad_norm, checkpoint_every=self.checkpoint_every,
            callbacks=tuple(self.callbacks),
        )  # fmt: skip


class StageSamples(Samples):
    """Blocks of tokens or stored hidden states, whose labels need no reading.

    Parameters
    ----------
    inputs : Tensor or mapping of Tensor
        What a stage's module is called with, blocks first.
    labels : Tensor or None
        What it is to return, or the tokens; None where only the teacher says.
    task : Task
        What the labels are.
    """

    def __init__(
        self, inputs: Tensor | Mapping[str, Tensor], labels: Tensor | None, task: Task
    ) -> None:
        super().__init__(Arrays(inputs, labels), task=task)
        self._ready = True

    def aimed(self, task: Task) -> Samples:
        """The same samples: no copy is made of the labels."""
        return self


def train_stage(
    module: nn.Module,
    samples: Samples,
    objective: object,
    settings: StageSettings,
    stage: str,
    tell: Progress | None = None,
    *,
    teacher: nn.Module | None = None,
    folder: Path | None = None,
) -> list[dict[str, Any]]:
    """Train a module where it stands; returns some ten rows of history.

    Parameters
    ----------
    module : nn.Module
        What is trained; it is changed, and is in evaluation mode afterwards.
    samples : Samples
        Blocks, with a task.
    objective : Objective or Loss
        What is minimised.
    settings : StageSettings
        Steps, rate and seed.
    stage : str
        What the history calls it.
    tell : Progress, optional
        Told how far it is.
    teacher : nn.Module, optional
        Whose outputs the objective reads.
    folder : Path, optional
        Where checkpoints are written; a stage that was cut off goes on there, and one that is
        finished is read.

    Raises
    ------
    InvalidInput
        If the loss is not finite.
    """
    assert samples.task is not None  # noqa: S101  (see StageSamples)
    began = time.process_time()
    trained = train(
        lambda: module, samples, objective, samples.task, training=settings.training,
        seed=settings.seed, teacher=teacher, folder=folder, name=stage,
        progress=quiet if tell is None else _named(tell, stage),
    )  # fmt: skip
    return _rows(trained, stage, time.process_time() - began)


def _rows(trained: Trained, stage: str, seconds: float) -> list[dict[str, Any]]:
    """The loss of the first update, and means over some epochs, the last one among them."""
    epochs = trained.history
    every = max(len(epochs) // _ROWS, 1)
    some = [e for i, e in enumerate(epochs, 1) if i % every == 0 or i == len(epochs)]
    rows = [(0, trained.began["loss"])] if "loss" in trained.began else []
    rows += [(e["step"], e["loss"]) for e in some]
    return [
        {"stage": stage, "step": int(step), "loss": float(loss),
         "cpu_seconds": round(seconds * step / trained.steps, 2)}
        for step, loss in rows
    ]  # fmt: skip


def _named(tell: Progress, name: str) -> Progress:
    """The same, told by the name of the stage."""

    def told(stage: str, done: float, total: float) -> None:
        tell(name, done, total)

    return told


def to_a_tenth(done: float) -> float:
    """A cosine from 1 down to 0.1, of the share of the training that is over."""
    return 0.1 + 0.45 * (1.0 + math.cos(math.pi * done))


@dataclass(frozen=True)
class _MatricesDecay:
    """AdamW, with weight decay of matrices alone."""

    lr: float
    weight_decay: float

    def __call__(self, weights: Sequence[nn.Parameter]) -> torch.optim.Optimizer:
        """The optimizer of some weights."""
        groups = [
            {"params": [p for p in weights if p.ndim > 1], "weight_decay": self.weight_decay},
            {"params": [p for p in weights if p.ndim <= 1], "weight_decay": 0.0},
        ]
        made = [g for g in groups if g["params"]]
        return torch.optim.AdamW(made, lr=self.lr, betas=(0.9, 0.95))
