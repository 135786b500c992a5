"""How a student is trained: every setting of the loop, and nothing that is learned."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import nn

from limbeck.errors import InvalidInput

__all__ = ["Training"]

Optimizers = Callable[[Sequence[nn.Parameter]], torch.optim.Optimizer]
Shape = Callable[[float], float]

_SHAPES: dict[str, Shape] = {
    "constant": lambda done: 1.0,
    "linear": lambda done: 1.0 - done,
    "cosine": lambda done: 0.5 * (1.0 + math.cos(math.pi * done)),
}
_CHOICES = {
    "optimizer": ("adamw", "sgd"),
    "schedule": tuple(_SHAPES),
    "precision": ("fp32", "bf16", "fp16"),
    "strategy": ("auto", "ddp", "fsdp"),
}
_EPOCHS, _UPDATES, _PATIENCE = 10, 3000, 1000  # by default; at least, and what epochs add up to
_COUNTS = ("epochs", "batch_size", "accumulate", "log_every", "patience", "checkpoint_every")


@dataclass(frozen=True)
class Training:
    """Settings of the training loop.

    Parameters
    ----------
    epochs : int, optional
        Passes over the samples. By default as many as make 3,000 updates, at least 10: few rows
        take more of them than many.
    batch_size : int
        Rows of one update, over all processes and accumulated parts together.
    optimizer : {"adamw", "sgd"} or callable
        A callable gets the list of parameters and returns a torch optimizer; its own learning
        rates then count instead of ``lr``, and the schedule multiplies them.
    lr, weight_decay, momentum : float
        Of the named optimizers; momentum of SGD only.
    schedule : {"cosine", "constant", "linear"} or callable
        The factor of the learning rate, from the share of the training that is over.
    warmup : float
        The share of the training, in [0, 1), in which the rate rises from 0.
    precision : {"fp32", "bf16", "fp16"}
        Of the forward passes (autocast); weights and losses stay in float32.
    accumulate : int
        Parts that each batch is computed in, to save memory. Parts and processes count by their
        rows, of sequences by the outputs that count. Losses between rows and batch norm see the
        rows of one part, as they see those of one process.
    clip : float, optional
        The largest norm of the gradient.
    patience : int, optional
        Epochs without a better validation score after which training stops. By default none,
        but where epochs are not given either and there are validation rows: as many as make
        1,000 updates, at least 10.
    strategy : {"auto", "ddp", "fsdp"}
        With several processes: replicas, or shards of the weights. Auto means replicas.
    device : str, optional
        None trains where the student's weights are and leaves the teacher where it is; "auto"
        (a GPU if there is one) or a device's name moves both there, the teacher for the training
        only.
    log_every : int
        Updates from one row of metrics to the next.
    checkpoint_every : int, optional
        Updates from one checkpoint to the next; None means one an epoch.

    Raises
    ------
    InvalidInput
        If a value has no meaning.
    """

    epochs: int | None = None
    batch_size: int = 128
    optimizer: str | Optimizers = "adamw"
    lr: float = 1e-3
    weight_decay: float = 0.01
    momentum: float = 0.9
    schedule: str | Shape = "cosine"
    warmup: float = 0.0
    precision: str = "fp32"
    accumulate: int = 1
    clip: float | None = None
    patience: int | None = None
    strategy: str = "auto"
    device: str | None = None
    log_every: int = 50
    checkpoint_every: int | None = None

    def __post_init__(self) -> None:
        for name, known in _CHOICES.items():
            given = getattr(self, name)
            if not callable(given) and given not in known:
                raise InvalidInput(f"{name} is {given!r}.", f"Choose one of {', '.join(known)}.")
        for name in _COUNTS:
            given = getattr(self, name)
            if given is not None and (isinstance(given, bool) or int(given) != given or given < 1):
                raise InvalidInput(f"{name} is {given!r}.", "Give a whole number from 1.")
        for name, least in (("lr", 0.0), ("weight_decay", 0.0), ("momentum", 0.0), ("clip", 0.0)):
            given = getattr(self, name)
            if given is not None and not (math.isfinite(given) and given >= least):
                raise InvalidInput(f"{name} is {given!r}.", "Give a finite number from 0.")
        if not 0 <= self.warmup < 1:
            raise InvalidInput(f"warmup is {self.warmup!r}.", "Give a share from 0 to below 1.")
        if self.batch_size % self.accumulate:
            raise InvalidInput(
                f"batch_size is {self.batch_size} and accumulate is {self.accumulate}.",
                "Give a batch size that is a multiple of it.",
            )

    def settled(self, rows: int, validated: bool) -> Training:
        """The same with numbers of epochs, and of patience, where none were given.

        Parameters
        ----------
        rows : int
            Training rows.
        validated : bool
            Whether there are validation rows.
        """
        if self.epochs is not None:
            return self
        updates = max(rows // self.batch_size, 1)
        epochs = max(_EPOCHS, math.ceil(_UPDATES / updates))
        patience = self.patience
        if patience is None and validated:
            patience = max(_EPOCHS, math.ceil(_PATIENCE / updates))
        return replace(self, epochs=epochs, patience=patience)

    def optimizer_of(self, kinds: Sequence[Sequence[nn.Parameter]]) -> torch.optim.Optimizer:
        """The optimizer of these parameters, which make one group a kind."""
        if callable(self.optimizer):
            return self.optimizer([p for kind in kinds for p in kind])
        groups = [{"params": list(kind)} for kind in kinds]
        if self.optimizer == "sgd":
            return torch.optim.SGD(
                groups, lr=self.lr, momentum=self.momentum, weight_decay=self.weight_decay
            )
        return torch.optim.AdamW(groups, lr=self.lr, weight_decay=self.weight_decay)

    def factor(self, step: int, total: int) -> float:
        """What the learning rate is multiplied by in update ``step`` (from 0) of ``total``."""
        rise = math.ceil(self.warmup * total)
        if step < rise:
            return (step + 1) / rise
        shape = self.schedule if callable(self.schedule) else _SHAPES[self.schedule]
        return shape((step - rise) / max(total - rise, 1))
