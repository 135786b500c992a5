"""Optimizers and schedulers of torch, by their names or by a function that makes one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from inspect import Parameter, isclass, signature
from typing import Any

import torch
from torch import nn
from torch.optim.lr_scheduler import CyclicLR, LRScheduler, OneCycleLR, ReduceLROnPlateau

from limbeck.core.errors import InvalidInput, did_you_mean

__all__ = [
    "Scheduler",
    "check_known",
    "defaults",
    "made",
    "makes_scheduler",
    "named",
    "needs_closure",
]

_MODULE = ("model", "module", "network", "student")
_NAMED = ("named_parameters", "named_params", "named")
_OURS: dict[str, dict[str, float]] = {
    "adamw": {"weight_decay": 0.01},
    "sgd": {"weight_decay": 0.01, "momentum": 0.9},
}


def named() -> dict[str, type[torch.optim.Optimizer]]:
    """Every optimizer of ``torch.optim``, by its name in lower case."""
    found = (c for c in vars(torch.optim).values() if isclass(c))
    base = torch.optim.Optimizer
    return {c.__name__.lower(): c for c in found if issubclass(c, base) and c is not base}


@lru_cache(maxsize=64)
def _arguments(kind: Callable[..., Any]) -> Mapping[str, Parameter]:
    """The arguments of an optimizer's class, or of its step, which take long to list."""
    return signature(kind).parameters


def check_known(given: Any, settings: Mapping[str, float | None]) -> None:
    """Refuse what is no optimizer, and settings that it has not.

    Parameters
    ----------
    given : str or callable
        A name in ``torch.optim`` in upper or lower case, or what makes an optimizer.
    settings : mapping
        ``lr``, ``weight_decay`` and ``momentum``, each None where it was not given.

    Raises
    ------
    InvalidInput
        Names the nearest optimizer.
    """
    if isinstance(given, torch.optim.Optimizer):
        raise InvalidInput(
            f"optimizer is an {type(given).__name__} of other weights than those trained: students"
            " are copies, one for every seed.",
            "Give its class, or a function of the parameters, such as optimizer=lambda parameters:"
            " torch.optim.SGD(parameters, lr=0.1).",
        )
    if callable(given):
        return
    known = named()
    if not isinstance(given, str) or given.lower() not in known:
        raise InvalidInput(
            f"optimizer is {given!r}.", did_you_mean(str(given).lower(), sorted(known))
        )
    kind: Any = known[given.lower()]
    if kind is torch.optim.SparseAdam:
        raise InvalidInput(
            "optimizer is 'sparseadam', which needs sparse gradients, and those here are dense.",
            "Give 'adam'.",
        )
    for name, value in settings.items():
        if value is not None and name not in _arguments(kind):
            raise InvalidInput(
                f"{name} is {value!r}, and {kind.__name__} has none.", f"Leave {name} out."
            )


def defaults(given: Any) -> dict[str, float]:
    """What an optimizer that is named takes for ``lr``, ``weight_decay`` and ``momentum``.

    torch's own defaults; but a weight decay of 0.01 and a momentum of 0.9 for SGD.
    """
    if not isinstance(given, str):
        return {}
    kind: Any = named()[given.lower()]
    known = _arguments(kind)
    of_torch = {n: known[n].default for n in ("lr", "weight_decay", "momentum") if n in known}
    return {n: float(v) for n, v in (of_torch | _OURS.get(given.lower(), {})).items()}


def made(
    given: str | Callable[..., torch.optim.Optimizer],
    settings: Mapping[str, float | None],
    student: nn.Module,
    kinds: Sequence[Sequence[nn.Parameter]],
    maps: nn.ModuleDict,
) -> torch.optim.Optimizer:
    """An optimizer of a student's weights, and of the learned maps of its losses.

    Parameters
    ----------
    given : str or callable
        A name, or a function. A function whose argument is called ``model``, ``module``,
        ``network`` or ``student`` gets the student, one whose argument is ``named_parameters``
        pairs of name and weight, every other a list of weights.
    settings : mapping
        ``lr``, ``weight_decay`` and ``momentum`` of those that are named; None for the default.
    student : nn.Module
        The student.
    kinds : sequence of sequence of nn.Parameter
        What is trained; each makes one parameter group.
    maps : nn.ModuleDict
        Named ``maps.`` and more; a group of their own where the function gets the student.

    Raises
    ------
    InvalidInput
        If the optimizer does not take these weights, or trains none of the student's.
    """
    if isinstance(given, str):
        kind = named()[given.lower()]
        own = defaults(given) | {n: v for n, v in settings.items() if v is not None}
        single = needs_closure(kind)
        groups: Any = [{"params": list(k)} for k in kinds]
        return _called(kind.__name__, kind, [p for k in kinds for p in k] if single else groups,
                       **own)  # fmt: skip
    name = getattr(given, "__qualname__", type(given).__name__)
    first = next(iter(signature(given).parameters), "")
    every = [p for kind in kinds for p in kind]
    if first in _MODULE:
        optimizer = _called(name, given, student)
        held = {id(p) for g in optimizer.param_groups for p in g["params"]}
        left = [p for p in maps.parameters() if p.requires_grad and id(p) not in held]
        if left:
            optimizer.add_param_group({"params": left})
    elif first in _NAMED:
        pairs = [*student.named_parameters(), *((f"maps.{n}", p) for n, p in
                                                maps.named_parameters())]  # fmt: skip
        optimizer = _called(name, given, [(n, p) for n, p in pairs if p.requires_grad])
    else:
        optimizer = _called(name, given, every)
    held = {id(p) for g in optimizer.param_groups for p in g["params"]}
    if not held & {id(p) for p in student.parameters() if p.requires_grad}:
        raise InvalidInput(
            f"The optimizer that {name} made trains no weight of the student.",
            "Make it of the weights that the function is called with.",
        )
    return optimizer


def _called(
    name: str, make: Callable[..., Any], *args: Any, **settings: Any
) -> torch.optim.Optimizer:
    try:
        found = make(*args, **settings)
    except (TypeError, ValueError) as error:
        raise InvalidInput(
            f"optimizer={name} raised {type(error).__name__}: {str(error).rstrip('.')}.",
            "It is called with a list of weights; a function of `named_parameters` gets pairs of"
            " name and weight, one of `model` the student.",
        ) from error
    if not isinstance(found, torch.optim.Optimizer):
        raise InvalidInput(
            f"optimizer={name} made a {type(found).__name__}.", "Return a torch optimizer."
        )
    return found


def needs_closure(optimizer: torch.optim.Optimizer | type[torch.optim.Optimizer]) -> bool:
    """Whether a step computes the loss again, as in L-BFGS."""
    kind = optimizer if isclass(optimizer) else type(optimizer)
    closure = _arguments(kind.step).get("closure")
    return closure is not None and closure.default is Parameter.empty


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
