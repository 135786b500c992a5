"""What a student language model learns from its teacher, token by token.

An objective is a small frozen object. Its ``loss`` takes the student's logits (or hidden states
with the head), what is known of the teacher, and which tokens count; it gives their sum and number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from limbeck.core.errors import InvalidInput
from limbeck.language.carriers.signal import TeacherSignal
from limbeck.language.chunked import LMHead, TokenLoss, TokenSum, chunked_sum, chunked_values
from limbeck.language.divergences import check_divergence

__all__ = ["SequenceKD", "TokenKD"]


@dataclass(frozen=True)
class TokenKD:
    """Token-level distillation: a divergence between the next-token distributions.

    Parameters
    ----------
    divergence : {"forward_kl", "reverse_kl", "jsd", "skew_kl", "skew_reverse_kl"}
        Of each token, see `limbeck.language.divergences`. What is on disk as counts or as the
        largest log-probabilities serves "forward_kl" only.
    beta : float
        Of "jsd", in [0, 1].
    alpha : float
        Of the skew divergences, in [0, 1).
    temperature : float
        Both models' logits are divided by it. The loss is not multiplied by its square, as
        in GKD and TRL, and other than in `limbeck.networks.SoftTargets`.

    Raises
    ------
    InvalidInput
        If a setting has no meaning.

    Examples
    --------
    >>> import torch
    >>> from limbeck.language import TeacherLogits, TokenKD
    >>> student, teacher = torch.zeros(1, 2, 3), torch.tensor([[[0.0, 0, 0], [2, 0, 0]]])
    >>> found = TokenKD().loss(student, TeacherLogits(teacher))
    >>> round(float(found.mean), 4), int(found.tokens)
    (0.2165, 2)
    """

    needs_teacher: ClassVar[bool] = True
    divergence: str = "forward_kl"
    beta: float = 0.5
    alpha: float = 0.1
    temperature: float = 1.0

    def __post_init__(self) -> None:
        check_divergence(self.divergence, self.beta, self.alpha, self.temperature)

    def loss(
        self,
        student: Tensor | LMHead,
        signal: TeacherSignal,
        mask: Tensor | None = None,
        weights: Tensor | None = None,
    ) -> TokenSum:
        """The divergence summed over tokens, with their number.

        Parameters
        ----------
        student : Tensor of shape (..., vocabulary), or LMHead
            Logits, or hidden states with their head.
        signal : TeacherSignal
            Of the same tokens, flattened in the same order.
        mask : Tensor of bool, shape (...), optional
            Which tokens count: those whose NEXT token is to be learned.
        weights : Tensor of shape (...), optional
            What each token's divergence is multiplied by.

        Raises
        ------
        InvalidInput
            If the signal is of other tokens, or cannot serve this divergence.
        """
        self._check(student, signal)
        return chunked_sum(student, self.token_loss(signal), mask, weights)

    def values(
        self, student: Tensor | LMHead, signal: TeacherSignal, mask: Tensor | None = None
    ) -> Tensor:
        """The divergence of each token that counts, in order, without gradients.

        Parameters
        ----------
        student, signal, mask
            As in `loss`.
        """
        self._check(student, signal)
        return chunked_values(student, self.token_loss(signal), mask)

    def _check(self, student: Tensor | LMHead, signal: TeacherSignal) -> None:
        signal.check(self.divergence, self.temperature)
        tensor = student.states if isinstance(student, LMHead) else student
        signal.check_outputs(student.outputs if isinstance(student, LMHead) else tensor.shape[-1])
        tokens = tensor[..., 0].numel()
        if tokens != len(signal):
            raise InvalidInput(
                f"The student has {tokens:,} tokens, and the teacher's signal {len(signal):,}.",
                "Give both of the same batch, padding included.",
            )

    def token_loss(self, signal: TeacherSignal) -> TokenLoss:
        """What `limbeck.language.chunked.chunked_sum` calls with the logits of some tokens."""

        def loss(logits: Tensor, places: Tensor) -> Tensor:
            logits = logits[:, : signal.vocabulary]  # a padded vocabulary is cut, then normalised
            if self.temperature != 1:
                logits = logits / self.temperature
            return signal.token_loss(
                F.log_softmax(logits, -1),
                places,
                self.divergence,
                self.beta,
                self.alpha,
                self.temperature,
            )

        return loss


@dataclass(frozen=True)
class SequenceKD:
    """Sequence-level distillation: cross-entropy on what the teacher wrote.

    Kim and Rush 2016: the teacher's distribution over sequences is replaced by its own
    answers, so no logits are needed. On other texts it is the control's loss.

    Parameters
    ----------
    label_smoothing : float
        In [0, 1), as in `torch.nn.functional.cross_entropy`.

    Examples
    --------
    >>> import torch
    >>> from limbeck.language import SequenceKD
    >>> labels = torch.tensor([[1, -100]])
    >>> found = SequenceKD().loss(torch.zeros(1, 2, 4), labels)
    >>> round(float(found.mean), 4), int(found.tokens)
    (1.3863, 1)
    """

    needs_teacher: ClassVar[bool] = False
    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.label_smoothing < 1:
            raise InvalidInput(
                f"label_smoothing is {self.label_smoothing}.", "Give a number from 0 to below 1."
            )

    def loss(
        self, student: Tensor | LMHead, labels: Tensor, mask: Tensor | None = None
    ) -> TokenSum:
        """Cross-entropy summed over tokens, with their number.

        Parameters
        ----------
        student : Tensor of shape (..., vocabulary), or LMHead
            Logits, or hidden states with their head.
        labels : Tensor of int64, shape (...)
            The NEXT token of each place, -100 where it does not count.
        mask : Tensor of bool, shape (...), optional
            Which tokens count besides.
        """
        counted = labels >= 0 if mask is None else (labels >= 0) & mask.bool()
        flat = labels.reshape(-1)

        def loss(logits: Tensor, places: Tensor) -> Tensor:
            return F.cross_entropy(
                logits, flat[places], reduction="none", label_smoothing=self.label_smoothing
            )

        return chunked_sum(student, loss, counted)
