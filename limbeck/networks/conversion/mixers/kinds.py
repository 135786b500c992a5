"""The mixers by name."""

from __future__ import annotations

from typing import Any

from limbeck.core.errors import InvalidInput, did_you_mean
from limbeck.networks.conversion.mixers.base import AttentionParts, Mixer, Start
from limbeck.networks.conversion.mixers.gated_delta import GatedDeltaRule
from limbeck.networks.conversion.mixers.gated_recurrence import GatedRecurrence
from limbeck.networks.conversion.mixers.linear_attention import WindowedLinearAttention

__all__ = ["MIXERS", "STARTS", "make_mixer"]

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
        If there is no such mixer, start or setting.
    """
    if name not in MIXERS:
        raise InvalidInput(f"There is no mixer {name!r}.", did_you_mean(str(name), MIXERS))
    if start not in STARTS:
        raise InvalidInput(f"There is no start {start!r}.", did_you_mean(str(start), STARTS))
    kind: Any = MIXERS[name]
    try:
        made: Mixer = kind(parts, start, **dict(options or {}))
    except TypeError:
        raise InvalidInput(
            f"The mixer {name!r} has no settings {sorted(options)}.",
            "It takes window and chunk."
            if name == "linear_attention"
            else "It takes convolution and chunk.",
        ) from None
    first = parts.query.weight
    return made.to(device=first.device, dtype=first.dtype)
