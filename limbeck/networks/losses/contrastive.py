"""Level 4: contrastive distillation: the student's row shall find the teacher's same row."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limbeck.core.errors import InvalidInput
from limbeck.core.registry import LOSSES
from limbeck.core.task import Task, TaskKind
from limbeck.modules.batch import Over, Step, weighted_mean
from limbeck.networks.losses.layers import OnLayers, vectors
from limbeck.networks.losses.loss import Needs

__all__ = ["Contrastive", "contrast"]


def contrast(
    student: Tensor,
    teacher: Tensor,
    temperature: float = 0.07,
    rivals: Tensor | None = None,
    weight: Tensor | None = None,
) -> Tensor:
    """-log of the share of row i of the teacher among its rivals, as the student's row i sees it.

    -log(exp(c_ii / T) / sum over j of exp(c_ij / T)), where c_ij is the cosine between row i of
    the student and row j of the teacher: contrastive representation distillation (Tian et al.
    2020) in the form of InfoNCE (van den Oord et al. 2018, equation 4) with the rows of the batch
    as negatives. log n minus it bounds the mutual information of both from below.

    Parameters
    ----------
    student, teacher : Tensor of shape (n, d)
        One vector per row.
    temperature : float
        T > 0.
    rivals : Tensor of bool of shape (n, n), optional
        Which rows of the teacher are negatives for each row; None for all others.
    weight : Tensor of shape (n,), optional
        How much each row counts; rows of weight 0 are no negatives.

    Returns
    -------
    Tensor
        The (weighted) mean over rows, a scalar above 0: log n where the student knows nothing,
        near 0 where student equals teacher and rows differ.
    """
    scores = F.normalize(student, dim=-1) @ F.normalize(teacher, dim=-1).T / temperature
    own = torch.eye(len(scores), dtype=torch.bool, device=scores.device)
    if rivals is not None or weight is not None:
        others = torch.ones_like(own) if rivals is None else rivals
        others = others if weight is None else others & (weight > 0)
        scores = scores.masked_fill(~(others | own), -math.inf)
    rows = F.cross_entropy(
        scores, torch.arange(len(scores), device=scores.device), reduction="none"
    )
    return weighted_mean(rows, weight)


@LOSSES.register("Contrastive")
@dataclass(frozen=True)
class Contrastive(OnLayers):
    """Level 4: contrastive representation distillation (CRD) with negatives from the batch.

    Each network's rows go through a linear map of its own, learned with the student, to a common
    width. The mean over pairs. Larger batches give more negatives and a better bound; there is no
    memory bank, whose rows would be those of an older student.

    Parameters
    ----------
    pairs : mapping
        Layers of the teacher, and to each the layer of the student that learns from it. Of
        (n, t, d) the mean over tokens is taken, of (n, c, h, w) that over places.
    width : int
        Of the common space.
    temperature : float
        T > 0 of the softmax over negatives.
    other_classes : bool
        Whether only rows of another class are negatives, as in the paper's experiments. Needs
        labels, and a task with one class per row.

    Raises
    ------
    InvalidInput
        If a number is out of range.

    Notes
    -----
    Two rows of one sample (drawn twice, or two augmentations) are never each other's negatives.

    Examples
    --------
    >>> from limbeck.networks import Contrastive
    >>> Contrastive({"layer4": "layer2"}, width=64).temperature
    0.07
    """

    width: int = 128
    temperature: float = 0.07
    other_classes: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.width < 1:
            raise InvalidInput(f"width is {self.width}.", "Give at least 1.")
        if not (math.isfinite(self.temperature) and self.temperature > 0):
            raise InvalidInput(f"The temperature is {self.temperature}.", "Give a positive number.")

    @property
    def needs(self) -> Needs:
        """A teacher, the layers of both, and labels for negatives of other classes."""
        return super().needs | Needs(labels=self.other_classes)

    def check(self, task: Task) -> None:
        """Refuse negatives of other classes where a row has not one class."""
        if self.other_classes and task.kind is not TaskKind.CLASSIFICATION:
            raise InvalidInput(
                f"Contrastive(other_classes=True) was asked of {task.kind.value}, where a row has"
                " not one class.",
                "Leave other_classes at False.",
            )

    def maps(self, step: Step) -> nn.Module | None:
        """For each pair a map of the student's rows and one of the teacher's."""
        made = nn.ModuleList()
        for pair in self.of(step):
            for layer in (pair.student, pair.teacher):
                rows = vectors(layer, pair.mask)
                # drawn on the CPU: the same seed, the same map on every device
                made.append(nn.Linear(rows.shape[1], self.width).to(rows.device, rows.dtype))
        return made

    @property
    def between_rows(self) -> str:
        """Its negatives are other rows."""
        return "has the other rows of a batch as negatives"

    def loss(self, step: Step, maps: nn.Module | None) -> Tensor:
        """The mean over pairs of layers."""
        assert isinstance(maps, nn.ModuleList)  # noqa: S101
        rivals = self._rivals(step)
        parts = []
        for i, pair in enumerate(self.of(step)):
            student = maps[2 * i](vectors(pair.student, pair.mask))
            teacher = maps[2 * i + 1](vectors(pair.teacher, pair.mask))
            loss = contrast(student, teacher, self.temperature, rivals, pair.row_weight)
            parts.append((loss, Over.ROW_WEIGHTS))
        return self.mean(step, parts)

    def _rivals(self, step: Step) -> Tensor | None:
        """Which rows of the batch are negatives of which; None for all others."""
        if self.other_classes:  # then two rows of one sample, which have one label, are none
            classes, known = step.classes, step.labelled
            assert classes is not None  # noqa: S101  (see needs)
            other = classes[:, None] != classes[None, :]
            return other if known is None else other & known[:, None] & known[None, :]
        if step.index is None:
            return None
        index = step.index.to(step.student.logits.device)  # it comes on the CPU
        return index[:, None] != index[None, :]
