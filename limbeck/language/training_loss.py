"""Objectives on texts as losses of the training loop of networks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, runtime_checkable

from torch import Tensor, nn

from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task, TaskKind
from limbeck.language.carriers.signal import TeacherSignal
from limbeck.language.chunked import TokenSum
from limbeck.language.cross_tokenizer.bridge import Bridge
from limbeck.language.cross_tokenizer.objective import CrossTokenizer
from limbeck.language.models import LanguageModel
from limbeck.language.objectives import SequenceKD, TokenKD
from limbeck.language.recorded import RecordedLogits
from limbeck.language.text_step import TextStep, text_step
from limbeck.modules.batch import Over, Step
from limbeck.modules.linear_head import FEW_OUTPUTS, linear_head
from limbeck.networks.losses.loss import Loss, Needs

__all__ = [
    "Objective",
    "RecordedRows",
    "TextLoss",
    "TextObjective",
    "WritingObjective",
    "check_objective",
    "whole_logits_note",
]


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


Objective = TokenKD | SequenceKD | TextObjective | CrossTokenizer
_OBJECTIVES = TokenKD | SequenceKD | TextObjective | CrossTokenizer
"""What a language model is trained by."""


def check_objective(given: Any) -> Objective:
    """Refuse what is no objective on texts.

    Raises
    ------
    InvalidInput
        With the objectives that there are.
    """
    if isinstance(given, type) or not isinstance(given, _OBJECTIVES):
        raise InvalidInput(
            f"The objective is {given!r}.",
            "Give one of limbeck.language: TokenKD(), SequenceKD(), OnPolicy(), PolicyGradient(),"
            " MiniLLM() or CrossTokenizer().",
        )
    return given


def whole_logits_note(models: Mapping[str, LanguageModel]) -> str:
    """Whose logits stand in memory for all tokens of a batch at once, and why; mostly empty.

    Parameters
    ----------
    models : mapping of str to LanguageModel
        By role; those that are asked in every update.
    """
    large = {role: m for role, m in models.items() if m.outputs >= FEW_OUTPUTS}
    if not large:
        return ""
    bent = [role for role, model in large.items() if linear_head(model.module) is None]
    return "" if not bent else (
        f"The logits of the {' and the '.join(bent)} are not those of a plain linear layer: those"
        " of a whole batch are taken into memory."
    )  # fmt: skip


@dataclass(frozen=True)
class RecordedRows:
    """What `limbeck.language.record` wrote of the training texts.

    Parameters
    ----------
    logits : RecordedLogits
        On disk.
    rows : tuple of int
        The recorded row of each training sample.
    """

    logits: RecordedLogits
    rows: tuple[int, ...] = field(repr=False)

    def signal(self, step: Step) -> TeacherSignal:
        """The teacher's distributions of a batch.

        Parameters
        ----------
        step : Step
            With the places of its samples.
        """
        assert step.index is not None  # noqa: S101  (the loop gives them)
        logits = step.student.logits
        rows = [self.rows[i] for i in step.index.tolist()]
        return self.logits.signal(rows, logits.shape[1] - 1, device=logits.device, cut=True)


@dataclass(frozen=True)
class TextLoss(Loss):
    """An objective on texts, as the loop asks for it: the mean over all tokens of an update.

    Parameters
    ----------
    objective : Objective
        One of `limbeck.language`.
    recorded : RecordedRows, optional
        The teacher's distributions on disk, in its place.
    bridge : Bridge, optional
        To a teacher with another tokenizer, which reads the texts in its own tokens.
    """

    level: ClassVar[int] = 2
    objective: Any
    recorded: RecordedRows | None = None
    bridge: Bridge | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """The name in logs and tables."""
        return type(self.objective).__name__

    @property
    def needs(self) -> Needs:
        """Tokens, and mostly a teacher."""
        given = self.recorded is not None or self.bridge is not None
        asks = self.objective.needs_teacher and not given
        return Needs(labels=True, teacher=asks, takes_head=True)

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
            signal = texts.signal() if self.recorded is None else self.recorded.signal(step)
            return objective.loss(texts.student, signal, texts.counts).mean
        if isinstance(objective, SequenceKD):
            return objective.loss(texts.student, texts.labels, texts.counts).mean
        if isinstance(objective, CrossTokenizer):
            assert self.bridge is not None  # noqa: S101  (made with the objective)
            least = objective.threshold(self.bridge.byte_student)
            said = self.bridge.signal(step, least, objective.method != "alm")
            return objective.cross_loss(texts, said).mean
        found: TokenSum = objective.text_loss(texts)
        return found.mean
