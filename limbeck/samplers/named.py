"""Samplers by name."""

from __future__ import annotations

from limbeck.core.contract import Sampler
from limbeck.core.errors import InvalidInput, did_you_mean
from limbeck.samplers.gaussian_copula import GaussianCopula
from limbeck.samplers.jitter import Jitter
from limbeck.samplers.marginals import Marginals
from limbeck.samplers.munge import Munge

__all__ = ["NAMES", "TRIED", "sampler_named"]

NAMES: dict[str, type[Munge] | type[GaussianCopula] | type[Jitter] | type[Marginals]] = {
    "munge": Munge,
    "gaussian_copula": GaussianCopula,
    "copula": GaussianCopula,
    "jitter": Jitter,
    "marginals": Marginals,
}
TRIED = ("munge", "gaussian_copula", "jitter")
"""What ``sampler="auto"`` tries, beside no queries at all."""


def sampler_named(name: str) -> Sampler:
    """The sampler of that name, with its defaults.

    Raises
    ------
    InvalidInput
        If there is none.
    """
    if name not in NAMES:
        raise InvalidInput(
            f"There is no sampler {name!r}.", did_you_mean(name, [*NAMES, "auto", "none"])
        )
    return NAMES[name]()
