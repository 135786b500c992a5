"""The mixers by name."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import signature
from typing import Any, TypeVar

from torch import nn

from limbeck.core.errors import InvalidInput, did_you_mean, whole_number
from limbeck.networks.conversion.mixers.base import AttentionParts, Mixer, Start
from limbeck.networks.conversion.mixers.gated_delta import GatedDeltaRule
from limbeck.networks.conversion.mixers.gated_recurrence import GatedRecurrence
from limbeck.networks.conversion.mixers.linear_attention import WindowedLinearAttention
from limbeck.networks.conversion.mixers.recurrent_heads import RecurrentHeads
from limbeck.networks.conversion.mixers.two_way import TwoWay

__all__ = ["MIXERS", "STARTS", "check_settings", "make_mixer", "make_two_way"]

M = TypeVar("M", bound=nn.Module)

MIXERS: dict[str, type[Mixer]] = {
    "gated_recurrence": GatedRecurrence,
    "linear_attention": WindowedLinearAttention,
    "gated_delta": GatedDeltaRule,
}
STARTS: tuple[Start, ...] = ("neutral", "published", "random")


def make_mixer(name: str, parts: AttentionParts, start: Start, options: Any = None) -> Mixer:
    """A mixer that starts from an attention layer.

    Parameters
    ----------
    name : str
        ``gated_recurrence``, ``linear_attention`` or ``gated_delta``.
    parts : AttentionParts
        The attention layer.
    start : {"neutral", "published", "random"}
        How its new weights start.
    options : mapping, optional
        Settings of the mixer, such as ``window``.

    Raises
    ------
    InvalidInput
        If there is no such mixer, start or setting, or a setting cannot have its value.
    """
    if name not in MIXERS:
        raise InvalidInput(f"There is no mixer {name!r}.", did_you_mean(str(name), MIXERS))
    if start not in STARTS:
        raise InvalidInput(f"There is no start {start!r}.", did_you_mean(str(start), STARTS))
    made: Mixer = MIXERS[name](parts, start, **check_settings(name, options))
    return _placed(made, parts)


def make_two_way(name: str, parts: AttentionParts, start: Start, options: Any = None) -> TwoWay:
    """A mixer of two scans, for encoders.

    Parameters
    ----------
    name, parts, start, options
        As in `make_mixer`; a window with what lies before it has no second direction.

    Raises
    ------
    InvalidInput
        If there is no such mixer or setting.
    """
    kind = MIXERS.get(name)
    if kind is None or not issubclass(kind, RecurrentHeads):
        both = [n for n, k in MIXERS.items() if issubclass(k, RecurrentHeads)]
        raise InvalidInput(
            f"{name} reads from left to right only.", f"Choose {' or '.join(both)} for encoders."
        )
    made = TwoWay(kind, parts, start, **check_settings(name, options))
    return _placed(made, parts)


def check_settings(name: str, options: Any) -> dict[str, Any]:
    """Settings of a mixer, each of them known and of a value that it takes.

    Parameters
    ----------
    name : str
        A mixer.
    options : mapping, optional
        What was asked for.

    Raises
    ------
    InvalidInput
        If one is unknown, or is no whole number of 1 or more (``rotary``: True or False).
    """
    if not isinstance(options or {}, Mapping):
        raise InvalidInput(f"options is {options!r}.", "Give a mapping, such as {'chunk': 32}.")
    given = dict(options or {})
    known = [
        p.name for p in signature(MIXERS[name]).parameters.values() if p.kind is p.KEYWORD_ONLY
    ]
    for setting, value in given.items():
        if setting not in known:
            raise InvalidInput(
                f"The mixer {name!r} has no setting {setting!r}.",
                f"It takes {', '.join(known[:-1])} and {known[-1]}.",
            )
        if setting != "rotary":
            given[setting] = whole_number(f"{setting} of {name}", value, 1)
        elif not isinstance(value, bool):
            raise InvalidInput(f"rotary of {name} is {value!r}.", "Give True or False.")
    return given


def _placed(made: M, parts: AttentionParts) -> M:
    first = parts.query.weight
    return made.to(device=first.device, dtype=first.dtype)
