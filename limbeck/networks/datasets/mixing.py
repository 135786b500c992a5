"""mixup and CutMix: rows of a batch are mixed in pairs, for student, teacher and control alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task, TaskKind
from limbeck.modules.batch import IGNORED
from limbeck.networks.datasets.batch import Batch
from limbeck.networks.datasets.labels import labelled
from limbeck.networks.datasets.seeding import mixed

__all__ = ["Mixing", "can_be_mixed"]


def can_be_mixed(inputs: Any, task: Task) -> bool:
    """Whether rows can be mixed: inputs are floating-point numbers, and labels are of rows.

    Parameters
    ----------
    inputs : tensor, tuple or mapping of tensors
        Of a few rows.
    task : Task
        What is predicted.
    """
    return not task.sequential and all(x.is_floating_point() for x in _tensors(inputs))


@dataclass(frozen=True)
class Mixing:
    """How rows of a batch are mixed with others of it; with both kinds a coin decides per batch.

    What is drawn is a function of the seed, the epoch and the first row of the batch, so that a
    resumed training, and the control of a student, mix the same rows.

    Parameters
    ----------
    mixup : float or None
        alpha of the Beta(alpha, alpha) that the share of a row is drawn from, one per batch
        (Zhang et al. 2018).
    cutmix : float or None
        The same for images: a rectangle of another image with the rest of its area (Yun et al.
        2019).
    task : Task
        What is predicted; labels are mixed by the same share.
    """

    mixup: float | None
    cutmix: float | None
    task: Task

    def check(self, inputs: Any) -> None:
        """Refuse inputs that cannot be mixed.

        Raises
        ------
        InvalidInput
            With the remedy.
        """
        name = "mixup" if self.mixup is not None else "cutmix"
        if not can_be_mixed(inputs, self.task):
            raise InvalidInput(
                f"{name} was given, and inputs are whole numbers or labels are of tokens.",
                f"Leave {name} out; it mixes rows of floating-point numbers.",
            )
        if self.cutmix is not None and any(x.ndim != 4 for x in _tensors(inputs)):
            raise InvalidInput(
                f"cutmix was given for inputs of shape {tuple(_tensors(inputs)[0].shape)}.",
                "Give images (n, c, h, w), or mixup.",
            )

    def over(self, batches: Iterator[Batch], seed: int, epoch: int) -> Iterator[Batch]:
        """Batches with their rows mixed.

        Parameters
        ----------
        batches : iterator of Batch
            As they are drawn.
        seed : int
            Of the augmentation.
        epoch : int
            The epoch, from 0.
        """
        for batch in batches:
            own = mixed(seed, epoch, int(batch.index[0]), 1)
            yield self.mixed(batch, np.random.default_rng(own))

    def mixed(self, batch: Batch, rng: np.random.Generator) -> Batch:
        """One batch with its rows mixed.

        Parameters
        ----------
        batch : Batch
            Of two rows or more; one alone stays as it is.
        rng : Generator
            Draws partners, share and place.
        """
        cut = self.cutmix is not None and (self.mixup is None or rng.random() < 0.5)
        alpha = self.cutmix if cut else self.mixup
        assert alpha is not None  # noqa: S101  (one of the two is given)
        share = float(rng.beta(alpha, alpha))
        partner = torch.from_numpy(rng.permutation(len(batch)))
        if cut:
            first = _tensors(batch.inputs)[0]
            box, share = _box(tuple(first.shape[-2:]), share, rng)
            inputs = _each(batch.inputs, lambda x: _pasted(x, partner, box))
        else:
            inputs = _each(batch.inputs, lambda x: share * x + (1 - share) * _paired(x, partner))
        if batch.labels is None:
            return replace(batch, inputs=inputs)
        labels = self._labels(batch.labels, partner, share)
        return replace(batch, inputs=inputs, labels=labels, labelled=labelled(labels, self.task))

    def _labels(self, labels: Tensor, partner: Tensor, share: float) -> Tensor:
        """Labels by the share of each row; none where either row has none."""
        regression = self.task.kind is TaskKind.REGRESSION
        if self.task.kind is TaskKind.CLASSIFICATION and labels.ndim == 1:
            none = labels < 0
            soft = torch.nn.functional.one_hot(labels.clamp_min(0), self.task.outputs).float()
            labels = torch.where(none[:, None], float(IGNORED), soft)
        other = _paired(labels, partner)
        out = share * labels + (1 - share) * other
        if regression:  # NaN, the mark of none, stays
            return out
        return torch.where((labels < 0) | (other < 0), float(IGNORED), out)


def _tensors(inputs: Any) -> list[Tensor]:
    if isinstance(inputs, Mapping):
        return list(inputs.values())
    return list(inputs) if isinstance(inputs, tuple) else [inputs]


def _each(inputs: Any, change: Any) -> Any:
    if isinstance(inputs, Mapping):
        return {name: change(x) for name, x in inputs.items()}
    return tuple(change(x) for x in inputs) if isinstance(inputs, tuple) else change(inputs)


def _paired(x: Tensor, partner: Tensor) -> Tensor:
    return x.index_select(0, partner.to(x.device))


def _pasted(x: Tensor, partner: Tensor, box: tuple[int, int, int, int]) -> Tensor:
    top, bottom, left, right = box
    out = x.clone()
    out[:, :, top:bottom, left:right] = _paired(x, partner)[:, :, top:bottom, left:right]
    return out


def _box(
    size: tuple[int, ...], share: float, rng: np.random.Generator
) -> tuple[tuple[int, int, int, int], float]:
    """A rectangle of about 1 - share of the area, cut off at the edges, and the share left."""
    height, width = size
    half = [int(side * np.sqrt(1 - share)) // 2 for side in size]
    y, x = int(rng.integers(height)), int(rng.integers(width))
    top, bottom = max(y - half[0], 0), min(y + half[0], height)
    left, right = max(x - half[1], 0), min(x + half[1], width)
    return (top, bottom, left, right), 1 - (bottom - top) * (right - left) / (height * width)
