"""What a network costs and how far its confidence can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from limbeck.core.measured import Measured

__all__ = ["ModelFacts"]


@dataclass(frozen=True)
class ModelFacts:
    """What a network costs and how far its confidence can be trusted.

    Parameters
    ----------
    parameters, weight_bytes : int
        Its size.
    calibration : Measured or None
        Expected calibration error (Guo et al. 2017), a share; None for numbers or without labels.
    milliseconds : Measured or None
        Time of a batch: median, with the lower and upper quartile as low and high.
    batch_size, threads : int
        What that time was measured with.
    peak_bytes : int or None
        Memory that a forward pass takes beside the weights, where it could be measured.
    mistakes : mapping
        Shares of all places: ``inherited`` from the teacher, ``own``, ``other``; may be empty.
    by_class : mapping
        Places, accuracy and agreement for each class; may be empty.
    timed_calls : int
        Calls of the network that measuring time and memory took; 0 where it was switched off.
    reliability : tuple of (confidence, accuracy, share)
        Of the bins of confidence that hold answers: their mean confidence, how many are right, and
        their share of all; empty for numbers or without labels.
    """

    parameters: int
    weight_bytes: int
    calibration: Measured | None = None
    milliseconds: Measured | None = None
    batch_size: int = 0
    threads: int = 0
    peak_bytes: int | None = None
    mistakes: Mapping[str, float] = field(default_factory=dict)
    by_class: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    timed_calls: int = 0
    reliability: tuple[tuple[float, ...], ...] = ()
