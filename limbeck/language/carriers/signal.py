"""One interface to a teacher's next-token distributions, whether it runs now or is on disk.

A signal stands for the distributions of some tokens, numbered 0 to len(signal) - 1 in the order of
the student's logits flattened. What an objective does is always the same::

    signal = TeacherLogits(teacher_logits)            # online; or recorded.signal(rows), from disk
    found = TokenKD(divergence="forward_kl").loss(student_logits, signal, mask)
    (found.total / tokens_over_all_processes).backward()

`token_loss` is all that an objective calls: from the student's log-probabilities of some tokens to
a value for each. Signals that hold the full distribution give it as `log_probabilities` and know
every divergence. Those that hold a part of it (counts, the largest) know the forward KL only, or a
bound of it, and refuse the rest with a remedy.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor

from limbeck.core.errors import InvalidInput
from limbeck.language.divergences import token_divergence

__all__ = ["FullSignal", "TeacherSignal"]


class TeacherSignal(ABC):
    """A teacher's next-token distributions of some tokens.

    Attributes
    ----------
    name : str
        What `keep` is called that stores it, such as "full".
    vocabulary : int
        How many outputs the distributions have.
    cut : bool
        Whether the size of the vocabulary was given, so that a student with more outputs (padding)
        is cut to it and renormalised. Otherwise both must have the same number.
    """

    name: ClassVar[str]
    vocabulary: int
    cut: bool = False

    @abstractmethod
    def __len__(self) -> int:
        """How many tokens there are."""

    @abstractmethod
    def check(self, divergence: str, temperature: float) -> None:
        """Refuse, before any work, what these distributions cannot serve.

        Parameters
        ----------
        divergence : str
            One of `limbeck.language.divergences.DIVERGENCES`.
        temperature : float
            Of the objective.

        Raises
        ------
        InvalidInput
            With what serves instead.
        """

    def check_outputs(self, outputs: int) -> None:
        """Refuse a student with another vocabulary.

        Parameters
        ----------
        outputs : int
            How many logits the student has per token.
        """
        if outputs < self.vocabulary or (outputs > self.vocabulary and not self.cut):
            raise InvalidInput(
                f"The teacher has {self.vocabulary:,} outputs, and the student {outputs:,}.",
                "If both have the same tokenizer, give vocabulary=, its size, and both are cut to"
                " it and renormalised. Otherwise choose an objective for different tokenizers.",
            )

    @abstractmethod
    def token_loss(
        self,
        log_q: Tensor,
        places: Tensor,
        divergence: str = "forward_kl",
        beta: float = 0.5,
        alpha: float = 0.1,
        temperature: float = 1.0,
    ) -> Tensor:
        """The divergence of some tokens, of shape (n,); differentiable in ``log_q``.

        Parameters
        ----------
        log_q : Tensor of shape (n, vocabulary)
            The student's log-probabilities at this temperature.
        places : Tensor of int64, shape (n,)
            Which tokens they are of.
        divergence, beta, alpha : str, float, float
            As in `limbeck.language.divergences.token_divergence`.
        temperature : float
            What the teacher's logits are divided by too.
        """


class FullSignal(TeacherSignal):
    """A signal that knows the full distribution, and so every divergence and temperature."""

    def check(self, divergence: str, temperature: float) -> None:
        """Nothing is refused."""

    @abstractmethod
    def log_probabilities(self, places: Tensor, temperature: float = 1.0) -> Tensor:
        """Log-probabilities of some tokens, of shape (n, vocabulary), in float32 or wider.

        Parameters
        ----------
        places : Tensor of int64, shape (n,)
            Which tokens.
        temperature : float
            What logits are divided by.
        """

    def token_loss(
        self,
        log_q: Tensor,
        places: Tensor,
        divergence: str = "forward_kl",
        beta: float = 0.5,
        alpha: float = 0.1,
        temperature: float = 1.0,
    ) -> Tensor:
        """As the base says."""
        log_p = self.log_probabilities(places, temperature)
        return token_divergence(log_q, log_p.to(log_q.dtype), divergence, beta, alpha)
