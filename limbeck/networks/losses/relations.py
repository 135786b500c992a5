"""Level 4: relations between rows: rows near in the teacher shall be near in the student."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limbeck.core.errors import InvalidInput
from limbeck.core.registry import LOSSES
from limbeck.modules.batch import Over, Step, weighted_mean
from limbeck.networks.losses.layers import OnLayers, vectors

__all__ = ["Relations", "angle_relations", "distance_relations"]


def distance_relations(student: Tensor, teacher: Tensor, weight: Tensor | None = None) -> Tensor:
    """The Huber loss between distances, each over the mean distance of its network.

    Park et al. 2019, equations 5 to 8. The mean over ordered pairs of rows.

    Parameters
    ----------
    student, teacher : Tensor of shape (n, d) and (n, e)
        One vector per row.
    weight : Tensor of shape (n,), optional
        How much each row counts; a pair counts by the product.

    Returns
    -------
    Tensor
        A scalar; 0 where the student's rows are the teacher's turned, moved or scaled, and where
        fewer than two rows count.
    """
    pairs = _products(student, weight, 2)  # (n, n)
    return weighted_mean(
        F.smooth_l1_loss(_distances(student, pairs), _distances(teacher, pairs), reduction="none"),
        pairs,
    )


def angle_relations(student: Tensor, teacher: Tensor, weight: Tensor | None = None) -> Tensor:
    """The Huber loss between the cosines of the angles of all triplets of rows.

    Park et al. 2019, equations 9 and 10. The mean over ordered triplets; parameters as in
    `distance_relations`. Needs memory for n^2 (n + d) numbers.

    Parameters
    ----------
    student, teacher : Tensor of shapes (n, d) and (n, e)
        A vector per row.
    weight : Tensor of shape (n,), optional
        How much each row counts.
    """
    triplets = _products(student, weight, 3)  # (n, n, n), the corner first
    return weighted_mean(
        F.smooth_l1_loss(_cosines(student), _cosines(teacher), reduction="none"), triplets
    )


@LOSSES.register("Relations")
@dataclass(frozen=True)
class Relations(OnLayers):
    """Level 4: distances and angles between the rows of a batch (RKD). The mean over pairs.

    Widths may differ: no maps are learned.

    Parameters
    ----------
    pairs : mapping
        Layers of the teacher, and to each the layer of the student that learns from it. Of
        (n, t, d) the mean over tokens is taken, of (n, c, h, w) that over places.
    distance, angle : float
        Weights of the two parts; the paper uses 1 and 2 for embeddings (25 and 50 beside gold
        labels for classes).

    Raises
    ------
    InvalidInput
        If a weight is negative or both are 0.

    Examples
    --------
    >>> from limbeck.networks import Relations
    >>> Relations({"layer4": "layer2"}, distance=25, angle=50).angle
    50
    """

    distance: float = 1.0
    angle: float = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("distance", "angle"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) >= 0):
                raise InvalidInput(f"{name} is {getattr(self, name)}.", "Give 0 or more.")
        if not (self.distance or self.angle):
            raise InvalidInput("distance and angle are 0.", "Give one of them more.")

    @property
    def between_rows(self) -> str:
        """It compares rows with each other."""
        return "compares the rows of a batch with each other"

    def loss(self, step: Step, maps: nn.Module | None) -> Tensor:
        """The mean over pairs of layers."""
        parts = []
        for pair in self.of(step):
            student, teacher = vectors(pair.student, pair.mask), vectors(pair.teacher, pair.mask)
            part = student.new_zeros(())
            if self.distance:
                part = part + self.distance * distance_relations(student, teacher, pair.row_weight)
            if self.angle:
                part = part + self.angle * angle_relations(student, teacher, pair.row_weight)
            parts.append((part, Over.ROW_WEIGHTS))
        return self.mean(step, parts)


def _products(rows: Tensor, weight: Tensor | None, order: int) -> Tensor:
    """Products of the weights of 2 or 3 different rows; 0 where two are the same row."""
    w = rows.new_ones(len(rows)) if weight is None else weight.to(rows.dtype)
    other = 1 - torch.eye(len(rows), dtype=rows.dtype, device=rows.device)
    two = w[:, None] * w[None, :] * other
    if order == 2:
        return two
    return two[:, :, None] * w[None, None, :] * other[:, None, :] * other[None, :, :]


def _distances(rows: Tensor, pairs: Tensor) -> Tensor:
    """Distances between rows over their (weighted) mean, (n, n)."""
    found = torch.cdist(rows, rows, compute_mode="donot_use_mm_for_euclid_dist")
    return found / weighted_mean(found, pairs).clamp_min(torch.finfo(rows.dtype).eps)


def _cosines(rows: Tensor) -> Tensor:
    """Of rows i, j, k the cosine of the angle at i, (n, n, n); 0 where a side has no length."""
    sides = rows[None, :, :] - rows[:, None, :]  # (i, j, d): from i to j
    length = sides.square().sum(-1, keepdim=True)
    there = length > 0
    unit = torch.where(there, sides * length.masked_fill(~there, 1.0).rsqrt(), 0.0)
    return unit @ unit.transpose(1, 2)
