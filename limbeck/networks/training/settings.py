"""How a student is trained: every setting of the loop, and nothing that is learned."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from numbers import Real
from typing import Any, cast

import torch
from torch import nn
from torch.optim.lr_scheduler import LRScheduler

from limbeck.core.errors import InvalidInput
from limbeck.networks.training.callbacks import Callback, check_callbacks
from limbeck.networks.training.metrics import Metric, check_metrics
from limbeck.networks.training.optimizers import (
    Scheduler,
    check_known,
    defaults,
    made,
    makes_scheduler,
)

__all__ = ["UPDATES", "Training"]

Optimizers = Callable[..., torch.optim.Optimizer]
Shape = Callable[[float], float]

_SHAPES: dict[str, Shape] = {
    "constant": lambda done: 1.0,
    "linear": lambda done: 1.0 - done,
    "cosine": lambda done: 0.5 * (1.0 + math.cos(math.pi * done)),
}
_CHOICES = {
    "schedule": tuple(_SHAPES),
    "precision": ("fp32", "bf16", "fp16"),
    "strategy": ("auto", "ddp", "fsdp"),
    "schedule_interval": ("epoch", "step"),
}
_EPOCHS, UPDATES, _PATIENCE = 10, 3000, 1000  # by default; at least, and what epochs add up to
_COUNTS = (
    "epochs", "batch_size", "gradient_accumulation_steps", "log_every", "patience",
    "checkpoint_every", "max_steps",
)  # fmt: skip
_RATES = ("lr", "weight_decay", "momentum", "max_grad_norm")


@dataclass(frozen=True)
class Training:
    """Settings of the training loop.

    Parameters
    ----------
    epochs : int, optional
        Passes over the samples. By default as many as make ``max_steps``, or else 3,000 updates,
        at least 10: few rows take more of them than many.
    batch_size : int
        Rows of one update, over all processes and accumulated parts together. `limbeck.distill`
        takes that of a DataLoader by default.
    optimizer : str or callable
        The name of any optimizer in ``torch.optim``, in upper or lower case, or its class, or a
        function that makes one of a list of weights, of ``named_parameters`` or of a ``model``
        (the names of its argument); see `limbeck.networks.training.optimizers.made`. Of a function
        its own learning rates count instead of ``lr``, and the schedule multiplies them.
    lr, weight_decay, momentum : float, optional
        Of optimizers that are named. None means torch's own default (0.001 for AdamW and SGD), but
        a weight decay of 0.01 and a momentum of 0.9 for SGD.
    schedule : {"cosine", "constant", "linear"} or callable
        The factor of the learning rate, from the share of the training that is over; or a class of
        ``torch.optim.lr_scheduler``, or a function of an ``optimizer`` that makes one.
    warmup_ratio : float
        The share of the training, in [0, 1), in which the rate rises from 0.
    precision : {"fp32", "bf16", "fp16"}
        Of the forward passes (autocast); weights and losses stay in float32.
    gradient_accumulation_steps : int
        Parts that each batch is computed in, to save memory. Parts and processes count by their
        rows, of sequences by the outputs that count. Losses between rows and batch norm see the
        rows of one part, as they see those of one process.
    max_grad_norm : float, optional
        The largest norm of the gradient.
    patience : int, optional
        Epochs without a better validation score after which training stops. By default none,
        but where epochs are not given either and there are validation rows: as many as make
        1,000 updates, at least 10.
    strategy : {"auto", "ddp", "fsdp"}
        With several processes: replicas, or shards of the weights, with a copy of the teacher in
        shards of its own. Auto means replicas.
    device : str, optional
        None trains where the student's weights are and leaves the teacher where it is; "auto"
        (a GPU if there is one) or a device's name moves both there, the teacher for the training
        only.
    log_every : int
        Updates from one row of metrics to the next.
    checkpoint_every : int, optional
        Updates from one checkpoint to the next; None means one an epoch.
    max_steps : int, optional
        The largest number of updates; the last epoch may then end early.
    num_workers : int, optional
        Processes that load the samples; by default as the DataLoader says, else none.
    ema : float, optional
        The decay, in [0, 1), of an exponential moving average of the student's weights and
        buffers after every update (``torch.optim.swa_utils``). The average is what is validated
        and returned, for the control as well.
    schedule_interval : {"epoch", "step"}, optional
        When a scheduler of torch steps: after every epoch or every update. None means every update
        for OneCycleLR and CyclicLR, else every epoch.
    mixup, cutmix : float, optional
        Mix the rows of a batch in pairs, for student, teacher and control alike: alpha of the share
        of each, such as 1.0, or 0.2 for little; cutmix for images. The teacher answers the mixed
        rows, so that it must be asked, not stored. See `limbeck.networks.datasets.mixing`.
    callbacks : sequence of Callback
        Called while training, see `limbeck.networks.Callback`: for the student and the control of
        every seed (``state.run`` says which), and for no linear model. They change no result.
    metrics : mapping of str to callable, optional
        Functions ``f(outputs, labels)`` of one's own that return a number, by name: computed of
        all validation rows before training (to see that they work) and after every epoch, logged,
        and part of the history. Outputs are the student's, of the rows or tokens that have a
        label. They change no result.

    Raises
    ------
    InvalidInput
        If a value has no meaning.

    Examples
    --------
    >>> from limbeck.networks import Training
    >>> training = Training(max_steps=100, lr=0.01, warmup_ratio=0.1)
    >>> [round(training.factor(step, 100), 2) for step in (0, 9, 55, 99)]
    [0.1, 1.0, 0.5, 0.0]
    """

    epochs: int | None = None
    batch_size: int = 128
    optimizer: str | Optimizers = "adamw"
    lr: float | None = None
    weight_decay: float | None = None
    momentum: float | None = None
    schedule: str | Shape | Callable[..., LRScheduler] = "cosine"
    warmup_ratio: float = 0.0
    precision: str = "fp32"
    gradient_accumulation_steps: int = 1
    max_grad_norm: float | None = None
    patience: int | None = None
    strategy: str = "auto"
    device: str | None = None
    log_every: int = 50
    checkpoint_every: int | None = None
    max_steps: int | None = None
    num_workers: int | None = None
    ema: float | None = None
    schedule_interval: str | None = None
    mixup: float | None = None
    cutmix: float | None = None
    callbacks: Sequence[Callback] = field(default=(), compare=False)
    metrics: Mapping[str, Metric] | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        for name, known in _CHOICES.items():
            given = getattr(self, name)
            free = name == "schedule_interval" and given is None
            if not callable(given) and given not in known and not free:
                raise InvalidInput(f"{name} is {given!r}.", f"Choose one of {', '.join(known)}.")
        for name, least in (*((n, 1) for n in _COUNTS), ("num_workers", 0)):
            given = getattr(self, name)
            whole = _is_number(given) and int(given) == given and given >= least
            if given is not None and not whole:
                raise InvalidInput(f"{name} is {given!r}.", f"Give a whole number from {least}.")
        for name in _RATES:
            given = getattr(self, name)
            if given is not None and not (_is_number(given) and given >= 0):
                remedy = "Give a number, finite and from 0."
                raise InvalidInput(f"{name} is {given!r}.", remedy)
        for name in ("mixup", "cutmix"):
            given = getattr(self, name)
            if given is not None and not (_is_number(given) and given > 0):
                raise InvalidInput(f"{name} is {given!r}.", "Give a number above 0, such as 1.0.")
        if self.ema is not None and not (_is_number(self.ema) and 0 <= self.ema < 1):
            raise InvalidInput(f"ema is {self.ema!r}.", "Give a decay from 0 to below 1.")
        if self.ema is not None and self.strategy == "fsdp":
            raise InvalidInput("ema was given with strategy='fsdp'.", "Choose 'ddp'.")
        check_known(self.optimizer, self._rates)
        object.__setattr__(self, "callbacks", check_callbacks(self.callbacks))
        object.__setattr__(self, "metrics", check_metrics(self.metrics) or None)
        self._check_schedule()
        if not 0 <= self.warmup_ratio < 1:
            raise InvalidInput(
                f"warmup_ratio is {self.warmup_ratio!r}.", "Give a share from 0 to below 1."
            )
        if self.batch_size % self.gradient_accumulation_steps:
            raise InvalidInput(
                f"batch_size is {self.batch_size} and gradient_accumulation_steps is"
                f" {self.gradient_accumulation_steps}.",
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
        rates: dict[str, Any] = {
            n: v for n, v in defaults(self.optimizer).items() if getattr(self, n) is None
        }
        known = replace(self, **rates) if rates else self  # which is checked already
        if self.epochs is not None:
            return known
        updates = max(rows // self.batch_size, 1)
        if self.max_steps is not None:
            return replace(known, epochs=math.ceil(self.max_steps / updates))
        epochs = max(_EPOCHS, math.ceil(UPDATES / updates))
        patience = self.patience
        if patience is None and validated:
            patience = max(_EPOCHS, math.ceil(_PATIENCE / updates))
        return replace(known, epochs=epochs, patience=patience)

    def divided(self, rows: int, parts: int) -> list[Training]:
        """Settings of so many trainings one after another that make as many updates together.

        Parameters
        ----------
        rows : int
            Training rows; the settings are `settled`.
        parts : int
            Trainings.

        Raises
        ------
        InvalidInput
            If there are fewer updates than trainings.
        """
        each = math.ceil(math.ceil(rows / self.batch_size) / self.gradient_accumulation_steps)
        total = (self.epochs or 1) * each
        total = total if self.max_steps is None else min(total, self.max_steps)
        if total < parts:
            raise InvalidInput(
                f"{total} updates cannot be divided among {parts} trainings.", "Give more epochs."
            )
        sizes = [total * (i + 1) // parts - total * i // parts for i in range(parts)]
        return [replace(self, epochs=math.ceil(n / each), max_steps=n) for n in sizes]

    @property
    def by_scheduler(self) -> bool:
        """Whether a scheduler of torch sets the learning rate."""
        return makes_scheduler(self.schedule)

    @property
    def _rates(self) -> dict[str, float | None]:
        return {"lr": self.lr, "weight_decay": self.weight_decay, "momentum": self.momentum}

    def _check_schedule(self) -> None:
        if isinstance(self.schedule, LRScheduler):
            raise InvalidInput(
                f"schedule is a {type(self.schedule).__name__} of another optimizer.",
                "Give its class, or a function: schedule=lambda optimizer: StepLR(optimizer, 10).",
            )
        if self.by_scheduler and self.warmup_ratio:
            raise InvalidInput(
                f"warmup_ratio is {self.warmup_ratio:g}, and a scheduler of torch sets the learning"
                " rate.",
                "Leave warmup_ratio out; LinearLR and SequentialLR warm up.",
            )
        if self.schedule_interval is not None and not self.by_scheduler:
            raise InvalidInput(
                f"schedule_interval is {self.schedule_interval!r}, and schedule is"
                f" {self.schedule!r}.",
                "Leave it out: it is for schedulers of torch.",
            )

    def optimizer_of(
        self, student: nn.Module, kinds: Sequence[Sequence[nn.Parameter]], maps: nn.ModuleDict
    ) -> torch.optim.Optimizer:
        """The optimizer of a student; see `limbeck.networks.training.optimizers.made`.

        Parameters
        ----------
        student : nn.Module
            Whose weights it updates.
        kinds : sequence of sequences of nn.Parameter
            The weights in groups, as of `limbeck.networks.training.optimizers`.
        maps : nn.ModuleDict
            What is learned beside the student.
        """
        return made(self.optimizer, self._rates, student, kinds, maps)

    def scheduler_of(
        self, optimizer: torch.optim.Optimizer, updates: int, epochs: int
    ) -> Scheduler | None:
        """The scheduler of torch that sets the learning rate, if one does.

        Parameters
        ----------
        optimizer : torch.optim.Optimizer
            Whose rates it sets.
        updates, epochs : int
            Of the whole training.
        """
        if not self.by_scheduler:
            return None
        make = cast(Callable[..., LRScheduler], self.schedule)
        return Scheduler(make, optimizer, self.schedule_interval, updates, epochs)

    def factor(self, step: int, total: int) -> float:
        """What the learning rate is multiplied by.

        Parameters
        ----------
        step, total : int
            The update, from 0, and how many there are.
        """
        rise = math.ceil(self.warmup_ratio * total)
        if step < rise:
            return (step + 1) / rise
        shape = self.schedule if callable(self.schedule) else _SHAPES[self.schedule]
        return cast(Shape, shape)((step - rise) / max(total - rise, 1))


def _is_number(value: Any) -> bool:
    """Whether a value is a finite number."""
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
