"""One batch of texts, as objectives on texts see it: logits that predict the next token."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from limbeck.core.errors import InvalidInput
from limbeck.language.carriers.full import TeacherLogits
from limbeck.language.samples import WrittenInputs
from limbeck.modules.batch import Step

__all__ = ["TextStep", "text_step"]


@dataclass(frozen=True, eq=False)
class TextStep:
    """One batch: at each place what both models predict, and the token that came next.

    Parameters
    ----------
    student : Tensor of shape (n, t, vocabulary)
        Logits, with gradients.
    teacher : Tensor of shape (n, t, vocabulary), or None
        Logits, without.
    labels : Tensor of int64, shape (n, t)
        The next token.
    counts : Tensor of bool, shape (n, t)
        Which places count: those before a token of the text.
    own : bool
        Whether the student wrote the text.
    """

    student: Tensor
    teacher: Tensor | None
    labels: Tensor
    counts: Tensor
    own: bool

    def signal(self) -> TeacherLogits:
        """The teacher's distributions.

        Raises
        ------
        InvalidInput
            If there is no teacher.
        """
        if self.teacher is None:
            raise InvalidInput("The objective needs a teacher, and there is none.", "Give one.")
        return TeacherLogits(self.teacher)

    def log_probabilities(self) -> tuple[Tensor, Tensor]:
        """Of the tokens that came next and count, (p,): the student's and the teacher's."""
        assert self.teacher is not None  # noqa: S101  (objectives that need one check it)
        where = self.labels[self.counts][:, None]
        mine = F.log_softmax(self.student[self.counts].float(), -1).gather(1, where)[:, 0]
        with torch.no_grad():
            theirs = F.log_softmax(self.teacher[self.counts].float(), -1).gather(1, where)[:, 0]
        return mine, theirs


def text_step(step: Step) -> TextStep:
    """A batch of the training loop, shifted by one.

    Parameters
    ----------
    step : Step
        As the loop makes it.
    """
    assert step.labels is not None  # noqa: S101  (texts always have them)
    counts = step.counts(step.student.logits)[:, :-1]
    teacher = None if step.teacher is None else step.teacher.logits[:, :-1]
    return TextStep(
        step.student.logits[:, :-1], teacher, step.labels[:, 1:], counts,
        isinstance(step.inputs, WrittenInputs),
    )  # fmt: skip
