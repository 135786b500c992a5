"""Objectives on texts as losses of the training loop of networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, runtime_checkable

from torch import Tensor, nn

from limbeck.core.contract import Task, TaskKind
from limbeck.core.errors import InvalidInput
from limbeck.language.chunked import TokenSum
from limbeck.language.objectives import SequenceKD, TokenKD
from limbeck.language.text_step import TextStep, text_step
from limbeck.modules.batch import Over, Step
from limbeck.networks.losses.loss import Loss, Needs

__all__ = ["Objective", "TextLoss", "TextObjective", "WritingObjective", "check_objective"]


@runtime_checkable
class TextObjective(Protocol):
    """An objective that takes a whole batch of texts."""

    needs_teacher: ClassVar[bool]

    def text_loss(self, step: TextStep) -> TokenSum:
        """The loss summed over the tokens that count, with their number."""
        ...


@runtime_checkable
class WritingObjective(Protocol):
    """An objective that learns from texts which the student writes while it is trained."""

    @property
    def share(self) -> float:
        """Of the updates that learn from such texts."""

    @property
    def temperature(self) -> float:
        """Of the sampling."""

    @property
    def teacher_share(self) -> float:
        """Of the teacher in the mixture that writes; 0 for the student alone."""

    @property
    def max_new_tokens(self) -> int | None:
        """Tokens of a text at most."""


Objective = TokenKD | SequenceKD | TextObjective
"""What a language model is trained by."""


def check_objective(given: Any) -> Objective:
    """Refuse what is no objective on texts.

    Raises
    ------
    InvalidInput
        With the objectives that there are.
    """
    if isinstance(given, type) or not isinstance(given, TokenKD | SequenceKD | TextObjective):
        raise InvalidInput(
            f"The objective is {given!r}.",
            "Give one of limbeck.language: TokenKD(), SequenceKD(), OnPolicy(), PolicyGradient()"
            " or MiniLLM().",
        )
    return given


@dataclass(frozen=True)
class TextLoss(Loss):
    """An objective on texts, as the loop asks for it: the mean over all tokens of an update.

    Parameters
    ----------
    objective : Objective
        One of `limbeck.language`.
    """

    level: ClassVar[int] = 2
    objective: Any

    @property
    def name(self) -> str:
        """The name in logs and tables."""
        return type(self.objective).__name__

    @property
    def needs(self) -> Needs:
        """Tokens, and mostly a teacher."""
        return Needs(labels=True, teacher=self.objective.needs_teacher)

    @property
    def over(self) -> Over:
        """Tokens that count, over all parts and processes of an update."""
        return Over.OUTPUTS

    def check(self, task: Task) -> None:
        """Refuse tasks that are no texts."""
        if task.kind is not TaskKind.LANGUAGE:
            raise InvalidInput(f"{self.name} is for texts.", "Give prompts.")

    def loss(self, step: Step, maps: nn.Module | None) -> Tensor:
        """The mean over the tokens of the batch that count.

        Parameters
        ----------
        step : Step
            The batch.
        maps : nn.Module or None
            Nothing is learned beside the student.
        """
        texts, objective = text_step(step), self.objective
        if isinstance(objective, TokenKD):
            return objective.loss(texts.student, texts.signal(), texts.counts).mean
        if isinstance(objective, SequenceKD):
            return objective.loss(texts.student, texts.labels, texts.counts).mean
        found: TokenSum = objective.text_loss(texts)
        return found.mean
