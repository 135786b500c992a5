"""A loss of somebody else."""

from __future__ import annotations

from dataclasses import dataclass

from limbeck.networks import GoldLabels


@dataclass(frozen=True)
class QuietLabels(GoldLabels):
    """Gold labels under another name."""
