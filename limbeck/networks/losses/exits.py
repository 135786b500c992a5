"""Self-distillation: earlier exits of a network learn from its own end (Zhang et al. 2019)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor, nn

from limbeck.core.task import TaskKind
from limbeck.modules.batch import Over, Step, View
from limbeck.networks.losses.labels import GoldLabels
from limbeck.networks.losses.layers import vectors
from limbeck.networks.losses.logits import Logits, squared_error
from limbeck.networks.losses.loss import Loss, Needs, Schedule
from limbeck.networks.losses.probabilities import SoftTargets

__all__ = ["ExitHints", "ExitLabels", "ExitTargets"]


@dataclass(frozen=True)
class ExitLabels(Loss):
    """Level 0: labels at every earlier exit; the mean over exits."""

    level: ClassVar[int] = 0
    exits: tuple[str, ...]

    @property
    def needs(self) -> Needs:
        """Labels and the heads."""
        return Needs(labels=True, student_layers=self.exits)

    def loss(self, step: Step, maps: nn.Module | None) -> Tensor:
        """The mean over exits of the loss of `GoldLabels`."""
        return torch.stack(
            [GoldLabels().loss(_at_exit(step, name), None) for name in self.exits]
        ).mean()


@dataclass(frozen=True)
class ExitTargets(Loss):
    """Level 2: every earlier exit learns the softened probabilities of the network's own end.

    For numbers, its values. The end is not moved towards its exits.
    """

    level: ClassVar[int] = 2
    exits: tuple[str, ...]
    temperature: float | Schedule = 3.0

    @property
    def needs(self) -> Needs:
        """The heads."""
        return Needs(student_layers=self.exits)

    @property
    def over(self) -> Over:
        """All outputs that count."""
        return Over.OUTPUTS

    def loss(self, step: Step, maps: nn.Module | None) -> Tensor:
        """The mean over exits of the loss of `SoftTargets`, or of `Logits` for numbers."""
        numbers = step.task.kind is TaskKind.REGRESSION
        term = Logits() if numbers else SoftTargets(temperature=self.temperature)
        return torch.stack([term.loss(_at_exit(step, name), None) for name in self.exits]).mean()


@dataclass(frozen=True)
class ExitHints(Loss):
    """Level 4: features of every earlier exit resemble those before the end; squared error."""

    level: ClassVar[int] = 4
    exits: tuple[str, ...]
    hint: str

    @property
    def needs(self) -> Needs:
        """Features of the heads, and the layer that is the hint."""
        return Needs(student_layers=(*self.exits, self.hint))

    @property
    def over(self) -> None:
        """Rows or tokens, exit by exit."""
        return None

    def loss(self, step: Step, maps: nn.Module | None) -> Tensor:
        """The mean over exits of the mean squared error; the hint is not moved.

        Of tokens, only those count that the attention mask says are there.
        """
        layers = step.student.layers
        hint = layers[self.hint].detach()
        mask = step.mask.bool() if step.mask is not None and hint.ndim == 3 else None
        losses = []
        for name in self.exits:
            mine = layers[name]
            target = hint if mine.ndim == hint.ndim else vectors(hint, mask)
            tokens = mine.ndim == 3
            if tokens and mask is not None:
                mine, target = mine[mask], target[mask]
            share = step.share(Over.TOKENS if tokens else Over.ROWS)
            losses.append(share * squared_error(mine, target))
        return torch.stack(losses).mean()


def _at_exit(step: Step, name: str) -> Step:
    """The step in which an exit is the student and the end its teacher."""
    end = View(step.student.logits.detach())
    return replace(step, student=View(step.student.layers[name]), teacher=end, weight=None)
