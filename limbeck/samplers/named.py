"""Samplers by name."""

from __future__ import annotations

from typing import cast

from limbeck.core.contract import Sampler
from limbeck.core.errors import InvalidInput, did_you_mean
from limbeck.core.registry import SAMPLERS

__all__ = ["TRIED", "sampler_named"]

TRIED = ("munge", "gaussian_copula", "jitter")
"""What ``sampler="auto"`` tries, beside no queries at all."""


def sampler_named(name: str) -> Sampler:
    """The sampler of that name, with its defaults.

    Raises
    ------
    InvalidInput
        If there is none.
    """
    if name not in SAMPLERS.names():
        known = [*SAMPLERS.names(), "auto", "none"]
        raise InvalidInput(f"There is no sampler {name!r}.", did_you_mean(name, known))
    return cast(Sampler, SAMPLERS.get(name)())
