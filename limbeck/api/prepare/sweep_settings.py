"""What a search may change of a training, and a training with other settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any, cast

from limbeck.core.errors import InvalidInput, did_you_mean
from limbeck.networks.losses.labels import GoldLabels
from limbeck.networks.losses.loss import Objective, Weighted
from limbeck.networks.strategies.train_network import TrainNetwork
from limbeck.networks.training.settings import Training
from limbeck.selection.search_space import SearchSpace

__all__ = ["OF_BOTH", "changed", "check_names", "shown_settings"]

_FIXED = ("callbacks", "metrics", "device", "strategy", "log_every", "checkpoint_every",
          "max_steps", "num_workers", "patience", "schedule_interval")  # fmt: skip
_TRAINING = tuple(f.name for f in fields(Training) if f.name not in _FIXED)

OF_BOTH = (*_TRAINING, "start")
"""Settings that the control has as well; the others are of what the teacher says."""

_OF_STUDENT = ("objective", "temperature", "teacher_weight", "weights", "filter")
_SHOWN = 60


def check_names(space: SearchSpace, given: Mapping[str, Any]) -> None:
    """Refuse settings that do not exist, are fixed, or were given a value as well.

    Parameters
    ----------
    space : SearchSpace
        What is searched over.
    given : mapping
        Settings with a value, by name.

    Raises
    ------
    InvalidInput
        Names the setting.
    """
    known = [*OF_BOTH, *_OF_STUDENT]
    for name in space.over:
        if name == "max_steps":
            raise InvalidInput(
                "over names 'max_steps', which successive halving sets.",
                "Give epochs=, the longest training; or over={'epochs': [...]}.",
            )
        if name in _FIXED:
            raise InvalidInput(
                f"over names {name!r}, which changes no student.", "Give it as a setting."
            )
        if name not in known:
            raise InvalidInput(f"There is no setting {name!r}.", did_you_mean(name, known))
        if given.get(name) is not None and name != "objective":
            raise InvalidInput(
                f"{name} was given a value, and is searched over as well.", "Give one of them."
            )


def changed(method: TrainNetwork, values: Mapping[str, Any]) -> TrainNetwork:
    """What trains a student and its control with other settings.

    Parameters
    ----------
    method : TrainNetwork
        With the settings that are not searched over.
    values : mapping
        Settings by name: those of `Training`, ``start``, ``filter``, ``objective``, and of the
        objective ``temperature``, ``teacher_weight`` (the share of the terms on the teacher, of
        which gold labels have the rest) and ``weights`` (one for each term).

    Raises
    ------
    InvalidInput
        If a value has no meaning; names the setting.
    """
    own: dict[str, Any] = {name: value for name, value in values.items() if name in _TRAINING}
    if "epochs" in own:  # early stopping would make them another number
        own["patience"] = None
    made = replace(method, training=replace(method.training, **own))
    if "start" in values:
        made = replace(made, start=values["start"])
    if "filter" in values:
        made = replace(made, filter=values["filter"])
    if "objective" in values:
        made = replace(made, objective=Objective.of(values["objective"]))
    for name, change in _OBJECTIVE.items():
        if name in values:
            made = replace(made, objective=change(made.objective, values[name]))
    return made


def shown_settings(values: Mapping[str, Any]) -> dict[str, Any]:
    """Settings ready for JSON and for tables."""
    return {name: _shown(value) for name, value in values.items()}


def _shown(value: Any) -> Any:
    if isinstance(value, str | int | float | bool | None):
        return value
    if isinstance(value, Objective):
        parts = zip(value.names, value.parts, strict=True)
        return " + ".join(f"{part.weight!r} {part.term!r}" for _, part in parts)
    text = getattr(value, "__name__", None) or repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def _with_temperature(objective: Objective, value: Any) -> Objective:
    warm = [hasattr(part.term, "temperature") for part in objective.parts]
    if not any(warm):
        raise InvalidInput(
            f"temperature is searched over, and {', '.join(objective.names)} have none.",
            "Leave it out, or learn from SoftTargets(), DKD() or another term that has one.",
        )
    parts = tuple(
        replace(part, term=replace(cast(Any, part.term), temperature=value)) if one else part
        for part, one in zip(objective.parts, warm, strict=True)
    )
    return replace(objective, parts=parts)


def _with_teacher_weight(objective: Objective, value: Any) -> Objective:
    gold = [isinstance(part.term, GoldLabels) for part in objective.parts]
    if all(gold) or not any(gold):
        raise InvalidInput(
            "teacher_weight is searched over, and the objective is of one kind:"
            f" {', '.join(objective.names)}.",
            "Give terms on the teacher and GoldLabels().",
        )
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise InvalidInput(f"teacher_weight is {value!r}.", "Give shares from 0 to 1.")
    sums = {own: sum(_constant(p) for p, g in zip(objective.parts, gold, strict=True) if g is own)
            for own in (True, False)}  # fmt: skip
    parts = tuple(
        replace(part, weight=_constant(part) / (sums[g] or 1.0) * (1 - value if g else value))
        for part, g in zip(objective.parts, gold, strict=True)
    )
    return replace(objective, parts=parts)


def _with_weights(objective: Objective, value: Any) -> Objective:
    count = len(objective.parts)
    if not isinstance(value, tuple | list) or len(value) != count:
        raise InvalidInput(
            f"weights is {value!r}, and the objective has {count} terms.",
            f"Give choices of {count} numbers each: {', '.join(objective.names)}.",
        )
    parts = tuple(
        replace(part, weight=1.0).scaled(own)
        for part, own in zip(objective.parts, value, strict=True)
    )
    return replace(objective, parts=parts)


def _constant(part: Weighted) -> float:
    if callable(part.weight):
        raise InvalidInput(
            f"teacher_weight is searched over, and the weight of {part.term.name} is a schedule.",
            "Search over objective=[...] instead.",
        )
    return float(part.weight)


_OBJECTIVE: dict[str, Callable[[Objective, Any], Objective]] = {
    "temperature": _with_temperature,
    "teacher_weight": _with_teacher_weight,
    "weights": _with_weights,
}
