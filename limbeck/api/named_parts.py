"""What a run file names, as objects: losses, filters, callbacks, metrics, optimizers, one's own."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from inspect import signature
from types import FunctionType
from typing import Any

from limbeck.api.load import read_named
from limbeck.core.errors import InvalidInput, did_you_mean
from limbeck.core.registry import LOSSES

__all__ = ["function_of", "made", "metrics_of", "objective_of", "of_torch"]


def objective_of(items: Any) -> Any:
    """A list of terms with weights as an objective."""
    from limbeck.networks.losses.loss import Objective

    if not isinstance(items, list) or not items:
        raise InvalidInput(
            f"objective is {items!r}.",
            "Write a list, such as - {weight: 0.9, name: SoftTargets, temperature: 4}.",
        )
    total: Any = None
    for item in items:
        given = dict(item) if isinstance(item, dict) else {"name": item}
        weight = given.pop("weight", 1.0)
        if isinstance(weight, dict):
            weight = made(weight, "objective")
        part = weight * Objective.of(made(given, "objective"))
        total = part if total is None else total + part
    return Objective.of(total)


def metrics_of(given: Any) -> dict[str, Any]:
    """Functions by name: ``{f1: package.module:f1}``, or a list, named as the functions are."""
    if isinstance(given, dict) and "name" not in given:
        return {str(name): function_of(item, "metrics")[1] for name, item in given.items()}
    return dict(
        function_of(item, "metrics") for item in (given if isinstance(given, list) else [given])
    )


def function_of(given: Any, where: str) -> tuple[str, Any]:
    """The name of a function at ``package.module:name``, and it with its settings.

    Parameters
    ----------
    given : str or mapping
        The name, or it with settings.
    where : str
        What it is for, in messages.
    """
    settings = dict(given) if isinstance(given, dict) else {"name": given}
    name = str(settings.pop("name", None))
    found = read_named(name)
    if not callable(found):
        raise InvalidInput(f"{name} in {where} is a {type(found).__name__}.", "Name a function.")
    _check_unknown(found, name, where, settings)
    return name.partition(":")[2], partial(found, **settings) if settings else found


def made(given: Any, where: str) -> Any:
    """An object from ``{name: Name, setting: value}``: of limbeck.networks, or one's own.

    A loss of another package has the name of its entry point.

    One's own is ``package.module:name``: a class or a function, called with the settings, or an
    object that is there already.

    Parameters
    ----------
    given : str or mapping
        The name, or it with settings.
    where : str
        What it is for, in messages.
    """
    import limbeck.networks as package

    settings = dict(given) if isinstance(given, dict) else {"name": given}
    name = settings.pop("name", None)
    if ":" in str(name):
        make = read_named(str(name))
        if not isinstance(make, type | FunctionType):
            if settings:
                raise InvalidInput(
                    f"{name} in {where} is a {type(make).__name__}, which takes no settings.",
                    "Name its class, or a function that makes one, or leave the settings out.",
                )
            return make
    elif name in package.__all__:
        make = getattr(package, name)
    elif where == "objective" and name in LOSSES.names():
        make = LOSSES.get(str(name))  # of another package
    else:
        raise InvalidInput(
            f"There is no {name!r} for {where}.",
            did_you_mean(str(name), [*package.__all__, *LOSSES.names()],
                         "Name one of limbeck.networks, or your own as package.module:name."),
        )  # fmt: skip
    _check_unknown(make, name, where, settings)
    try:
        return make(**settings)
    except TypeError as error:
        raise InvalidInput(f"{name} in {where}: {error}.", "See docs/objectives.md.") from error


def _check_unknown(make: Any, name: Any, where: str, settings: Mapping[str, Any]) -> None:
    """Refuse settings that a class or function does not take."""
    try:
        parameters = signature(make).parameters
    except ValueError:  # a function without a signature
        return
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return
    known = list(parameters)
    for setting in settings:
        if setting not in known:
            raise InvalidInput(
                f"{name} in {where} has no setting {setting!r}.", _instead(name, setting, known)
            )


def of_torch(given: Any, where: str) -> Any:
    """An optimizer or a schedule: a name, ``module:function``, or ``{name: Name, setting: value}``.

    Of a mapping the class of ``torch.optim``, or ``torch.optim.lr_scheduler``, with its settings,
    or one's own at ``package.module:name``.

    Parameters
    ----------
    given : str or mapping
        As it was written.
    where : {"optimizer", "schedule"}
        Which of the two it is.
    """
    if isinstance(given, str):
        return read_named(given) if ":" in given else given
    if not isinstance(given, dict):
        return given
    import torch

    module = torch.optim if where == "optimizer" else torch.optim.lr_scheduler
    if ":" in str(given.get("name")):
        return function_of(given, where)[1]
    settings = dict(given)
    name = str(settings.pop("name", None))
    known = [n for n, c in vars(module).items() if isinstance(c, type) and not n.startswith("_")]
    if name not in known:
        raise InvalidInput(f"There is no {name!r} for {where}.", did_you_mean(name, known))
    return partial(getattr(module, name), **settings)


def _instead(name: str, setting: str, known: list[str]) -> str:
    if name == "TeacherLabels" and setting == "temperature":
        return "Hard labels have no temperature: use SoftTargets, or leave it out."
    return did_you_mean(setting, known)
