"""Learning rates by a scheduler of torch."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, isclass, signature
from typing import Any

import torch
from torch.optim.lr_scheduler import CyclicLR, LRScheduler, OneCycleLR, ReduceLROnPlateau

from limbeck.core.errors import InvalidInput

__all__ = ["Scheduler", "makes_scheduler"]

_OPTIMIZER = ("optimizer", "optim", "opt")


def makes_scheduler(given: Any) -> bool:
    """Whether a schedule is a class of torch, or a function of an ``optimizer``."""
    if not callable(given):
        return False
    if isclass(given) and issubclass(given, LRScheduler):
        return True
    try:
        return next(iter(signature(given).parameters), "") in _OPTIMIZER
    except ValueError:  # a function without a signature
        return False


class Scheduler:
    """A scheduler of torch, stepped after every epoch or every update.

    Parameters
    ----------
    make : callable
        Its class, or a function of the optimizer. Arguments ``total_steps`` and ``T_max`` that are
        not given take the number of steps.
    optimizer : torch.optim.Optimizer
        Whose rates change.
    interval : {"epoch", "step"} or None
        None means every update for OneCycleLR and CyclicLR, else every epoch, as torch has it.
    updates, epochs : int
        Of the whole training.

    Raises
    ------
    InvalidInput
        If the function makes something else.
    """

    def __init__(
        self,
        make: Callable[..., Any],
        optimizer: torch.optim.Optimizer,
        interval: str | None,
        updates: int,
        epochs: int,
    ) -> None:
        name = getattr(make, "__qualname__", None) or repr(make)
        inner = getattr(make, "func", make)
        by_update = isclass(inner) and issubclass(inner, OneCycleLR | CyclicLR)
        steps = updates if interval == "step" or (interval is None and by_update) else epochs
        try:
            found = make(optimizer, **_totals(make, steps))
        except (TypeError, ValueError) as error:
            raise InvalidInput(
                f"schedule={name} raised {type(error).__name__}: {str(error).rstrip('.')}.",
                "Give its other arguments: functools.partial(torch.optim.lr_scheduler.StepLR,"
                " step_size=10), or a function of the optimizer.",
            ) from error
        if not isinstance(found, LRScheduler):
            raise InvalidInput(
                f"schedule={name} made a {type(found).__name__}.",
                "Return a scheduler of torch.optim.lr_scheduler.",
            )
        self.scheduler = found
        each = isinstance(found, OneCycleLR | CyclicLR) if interval is None else interval == "step"
        self.by_update = each
        if each and isinstance(found, ReduceLROnPlateau):
            raise InvalidInput(
                "ReduceLROnPlateau was asked to step after every update.",
                "Leave schedule_interval out: it reads one number an epoch.",
            )

    def updated(self) -> None:
        """An update was made."""
        if self.by_update:
            self.scheduler.step()

    def ended(self, loss: float, score: float | None = None) -> None:
        """An epoch was ended.

        Parameters
        ----------
        loss : float
            What ReduceLROnPlateau reads: that of validation rows, where there are any, else the
            mean of the epoch.
        score : float, optional
            Of validation rows; what it reads with ``mode="max"``.
        """
        if self.by_update:
            return
        if not isinstance(self.scheduler, ReduceLROnPlateau):
            self.scheduler.step()
        elif self.scheduler.mode == "min":
            self.scheduler.step(loss)
        elif score is None:
            raise InvalidInput(
                "ReduceLROnPlateau has mode='max', and there are no validation rows to score.",
                "Give validation rows, or mode='min', which reads the loss.",
            )
        else:
            self.scheduler.step(score)

    def state(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        return dict(self.scheduler.state_dict())

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.scheduler.load_state_dict(state)


def _totals(make: Callable[..., Any], steps: int) -> dict[str, int]:
    """Numbers of steps that a scheduler wants and was not given."""
    known = signature(make).parameters
    given = getattr(make, "keywords", {})
    free = {
        name
        for name in ("total_steps", "T_max")
        if name in known and name not in given and known[name].default in (None, Parameter.empty)
    }
    if "epochs" in given and "steps_per_epoch" in given:
        free.discard("total_steps")
    return dict.fromkeys(free, steps)
