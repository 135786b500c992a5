"""Samples that a network is called with at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from limbeck.modules.batch import mask_of

__all__ = ["Batch"]


@dataclass(frozen=True, eq=False)
class Batch:
    """Samples that a network is called with at once.

    Parameters
    ----------
    inputs : tensor, tuple or mapping of tensors
        Rows first.
    labels : Tensor or None
        As in `TaskKind` where the samples were aimed at one.
    index : Tensor of shape (n,), int64, on the CPU
        Places of the samples in the data set.
    view, seed : int
        Which augmented version this is; with the place they fix every drawn number.
    labelled : Tensor of bool, optional
        Which rows, or for multi-label which entries, have a label; None means all.
    """

    inputs: Any
    labels: Tensor | None
    index: Tensor
    view: int = 0
    seed: int = 0
    labelled: Tensor | None = None

    def __len__(self) -> int:
        return len(self.index)

    @property
    def mask(self) -> Tensor | None:
        """The attention mask (n, t), where inputs have names and one is among them."""
        return mask_of(self.inputs)

    @property
    def device(self) -> torch.device:
        """Where the inputs are."""
        x = self.inputs
        x = next(iter(x.values())) if isinstance(x, Mapping) else x
        found: torch.device = (x[0] if isinstance(x, tuple) else x).device
        return found

    def to(self, device: torch.device | str | None) -> Batch:
        """The same batch on a device; the index stays on the CPU."""
        held = [self.device] if self.labels is None else [self.device, self.labels.device]
        if device is None or all(d == torch.device(device) for d in held):
            return self
        x = self.inputs
        if isinstance(x, Mapping):
            moved: Any = {k: v.to(device, non_blocking=True) for k, v in x.items()}
        elif isinstance(x, tuple):
            moved = tuple(v.to(device, non_blocking=True) for v in x)
        else:
            moved = x.to(device, non_blocking=True)
        labels, labelled = (
            None if t is None else t.to(device, non_blocking=True)
            for t in (self.labels, self.labelled)
        )
        return replace(self, inputs=moved, labels=labels, labelled=labelled)
