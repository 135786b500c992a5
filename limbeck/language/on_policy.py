"""On-policy distillation: the student learns where its own texts lead (GKD)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from limbeck.core.errors import InvalidInput
from limbeck.language.chunked import TokenSum
from limbeck.language.divergences import check_divergence
from limbeck.language.objectives import TokenKD
from limbeck.language.text_step import TextStep

__all__ = ["OnPolicy", "check_sampling"]


def check_sampling(share: float, temperature: float, max_new_tokens: int | None) -> None:
    """Refuse settings of the student's own texts that have no meaning.

    Parameters
    ----------
    share : float
        Of the updates, in [0, 1].
    temperature : float
        Of the sampling, positive.
    max_new_tokens : int, optional
        Tokens of a text at most.

    Raises
    ------
    InvalidInput
        With what is allowed.
    """
    if not 0 <= share <= 1:
        raise InvalidInput(f"share is {share}.", "Give the share of updates, from 0 to 1.")
    if not 0 < temperature < float("inf"):
        raise InvalidInput(f"temperature is {temperature}.", "Give a positive number.")
    if max_new_tokens is not None and max_new_tokens < 1:
        raise InvalidInput(f"max_new_tokens is {max_new_tokens}.", "Give 1 or more.")


@dataclass(frozen=True)
class OnPolicy:
    """Generalised knowledge distillation on a mixture of given texts and the student's own.

    Agarwal et al. 2024 (GKD), algorithm 1: with probability ``share`` an update goes on with what
    the student writes after the prompts, without a gradient through the sampling; the divergence to
    the teacher is taken at every token of it. ``share=0`` is token distillation on the given texts.

    Parameters
    ----------
    divergence : str
        One of `limbeck.language.divergences.DIVERGENCES`.
    beta : float
        Of "jsd", in [0, 1].
    share : float
        Of the updates that learn from the student's own texts: lambda of the paper.
    temperature : float
        Of the sampling; the divergence itself is taken at temperature 1.
    max_new_tokens : int, optional
        Tokens of an own text at most; by default that of `limbeck.distill`.
    alpha : float
        Of the skew divergences.
    replay : float
        Of the updates on own texts, the share that learns again from a batch that was written
        before, drawn from the last 32, in place of writing (a replay buffer, as in DistiLLM, Ko et
        al. 2024): sampling costs less, and texts are of older weights. In one process.

    Raises
    ------
    InvalidInput
        If a setting has no meaning.

    Examples
    --------
    >>> from limbeck.language import OnPolicy
    >>> OnPolicy(divergence="jsd", beta=0.5, share=0.5).share
    0.5
    """

    needs_teacher: ClassVar[bool] = True
    teacher_share: ClassVar[float] = 0.0
    divergence: str = "jsd"
    beta: float = 0.5
    share: float = 0.5
    temperature: float = 1.0
    max_new_tokens: int | None = None
    alpha: float = 0.1
    replay: float = 0.0

    def __post_init__(self) -> None:
        check_divergence(self.divergence, self.beta, self.alpha, 1.0)
        if not 0 <= self.replay < 1:
            raise InvalidInput(f"replay is {self.replay}.", "Give a number from 0 to below 1.")
        check_sampling(self.share, self.temperature, self.max_new_tokens)

    def text_loss(self, step: TextStep) -> TokenSum:
        """The divergence, summed over the tokens that count.

        Parameters
        ----------
        step : TextStep
            One batch.
        """
        kd = TokenKD(self.divergence, self.beta, self.alpha)
        return kd.loss(step.student, step.signal(), step.counts)
