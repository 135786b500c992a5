"""Where fresh inputs come from."""

from limbeck.samplers.gaussian_copula import GaussianCopula
from limbeck.samplers.jitter import Jitter
from limbeck.samplers.marginals import Marginals
from limbeck.samplers.munge import Munge
from limbeck.samplers.signals import (
    MaskedSignals,
    MixedSignals,
    NoisySignals,
    ScaledSignals,
    ShiftedSignals,
    SignalVariants,
)
from limbeck.samplers.stream import fresh_answers

__all__ = [
    "GaussianCopula",
    "Jitter",
    "Marginals",
    "MaskedSignals",
    "MixedSignals",
    "Munge",
    "NoisySignals",
    "ScaledSignals",
    "ShiftedSignals",
    "SignalVariants",
    "fresh_answers",
]
