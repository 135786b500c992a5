"""One batch of texts, as objectives on texts see it: logits that predict the next token."""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from limbeck.core.errors import InvalidInput
from limbeck.language.carriers.full import TeacherHidden, TeacherLogits
from limbeck.language.chunked import LMHead, chunked_tokens, chunked_values
from limbeck.language.samples import WrittenInputs
from limbeck.modules.batch import Step, View

__all__ = ["TextStep", "text_step"]


@dataclass(frozen=True, eq=False)
class TextStep:
    """One batch: at each place what both models predict, and the token that came next.

    Parameters
    ----------
    student : Tensor of shape (n, t, vocabulary), or LMHead
        Logits, or last hidden states with the head that makes them; with gradients.
    teacher : Tensor of shape (n, t, vocabulary), LMHead or None
        The same without.
    labels : Tensor of int64, shape (n, t)
        The next token.
    counts : Tensor of bool, shape (n, t)
        Which places count: those before a token of the text.
    own : bool
        Whether the student wrote the text.
    """

    student: Tensor | LMHead
    teacher: Tensor | LMHead | None
    labels: Tensor
    counts: Tensor
    own: bool

    def signal(self) -> TeacherLogits | TeacherHidden:
        """The teacher's distributions.

        Raises
        ------
        InvalidInput
            If there is no teacher.
        """
        if self.teacher is None:
            raise InvalidInput("The objective needs a teacher, and there is none.", "Give one.")
        if isinstance(self.teacher, LMHead):
            return TeacherHidden(self.teacher)
        return TeacherLogits(self.teacher)

    def log_probabilities(self) -> tuple[Tensor, Tensor]:
        """Of the tokens that came next and count, (p,): the student's and the teacher's."""
        assert self.teacher is not None  # noqa: S101  (objectives that need one check it)
        labels = self.labels.reshape(-1)

        def chosen(logits: Tensor, places: Tensor) -> Tensor:
            return -F.cross_entropy(logits, labels[places], reduction="none")

        return (
            chunked_tokens(self.student, chosen, self.counts),
            chunked_values(self.teacher, chosen, self.counts),
        )


def text_step(step: Step) -> TextStep:
    """A batch of the training loop, shifted by one.

    Parameters
    ----------
    step : Step
        As the loop makes it.
    """
    assert step.labels is not None  # noqa: S101  (texts always have them)
    counts = step.counts(step.student.logits)[:, :-1]
    teacher = None if step.teacher is None else _predictions(step.teacher)
    return TextStep(
        _predictions(step.student), teacher, step.labels[:, 1:], counts,
        isinstance(step.inputs, WrittenInputs),
    )  # fmt: skip


def _predictions(view: View) -> Tensor | LMHead:
    """What predicts the tokens from the second on."""
    own = view.logits[:, :-1]
    return own if view.head is None else LMHead(own, *view.head)
