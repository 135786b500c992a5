"""MiniLLM: reverse KL between whole texts, drawn from student and teacher mixed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from limbeck.core.errors import InvalidInput
from limbeck.language.chunked import TokenSum
from limbeck.language.objectives import SequenceKD, TokenKD
from limbeck.language.on_policy import check_sampling
from limbeck.language.policy_gradient import discounted, rewards
from limbeck.language.text_step import TextStep

__all__ = ["MiniLLM"]


@dataclass(frozen=True)
class MiniLLM:
    """Reverse KL of whole texts, with the three devices that make it stable (Gu et al. 2024).

    Section 2.2 of the paper: texts are drawn from ``teacher_share`` p + (1 - ``teacher_share``) q,
    and each token is weighed by q over that mixture; the exact reverse KL of a step is taken out of
    the policy gradient; and the return of a token is the mean reward after it, so that short
    texts are not preferred. Updates on given texts take cross-entropy, as the paper's language
    modelling loss. Rewards are scaled by 0.5 and clipped at 100, as in its code.

    The paper goes over each text four times with PPO's clipping; here it is learned from once,
    where the clipping never acts.

    Parameters
    ----------
    teacher_share : float
        Of the teacher in the mixture that writes, in [0, 1): alpha of the paper.
    share : float
        Of the updates that learn from written texts; the others take cross-entropy.
    max_new_tokens : int, optional
        Tokens of a written text at most; by default that of `limbeck.distill`.

    Raises
    ------
    InvalidInput
        If a setting has no meaning.

    Examples
    --------
    >>> from limbeck.language import MiniLLM
    >>> MiniLLM().teacher_share
    0.2
    """

    needs_teacher: ClassVar[bool] = True
    temperature: ClassVar[float] = 1.0
    teacher_share: float = 0.2
    share: float = 0.5
    max_new_tokens: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.teacher_share < 1:
            raise InvalidInput(
                f"teacher_share is {self.teacher_share}.", "Give a number from 0 to below 1."
            )
        check_sampling(self.share, 1.0, self.max_new_tokens)

    def text_loss(self, step: TextStep) -> TokenSum:
        """Policy gradient and single-step reverse KL of written texts, cross-entropy of others.

        Parameters
        ----------
        step : TextStep
            One batch.
        """
        if not step.own:
            return SequenceKD().loss(step.student, step.labels, step.counts)
        mine, theirs = step.log_probabilities()
        weight = self._weight(mine.detach(), theirs)
        reward = (0.5 * rewards(mine, theirs)).clamp(-100, 100)
        ahead = discounted(reward, step.counts, 1.0, later=True)
        advantage = ahead / _remaining(step.counts).clamp_min(1.0)
        ratio = (mine - mine.detach()).exp()
        policy = -(weight * ratio * advantage).sum()
        table = torch.zeros(step.counts.shape, device=weight.device, dtype=weight.dtype)
        table[step.counts] = weight
        single = TokenKD("reverse_kl").loss(step.student, step.signal(), step.counts, table)
        return TokenSum(policy + single.total, single.tokens)

    def _weight(self, mine: Tensor, theirs: Tensor) -> Tensor:
        """Q / (alpha p + (1 - alpha) q) of each token."""
        if self.teacher_share == 0:
            return torch.ones_like(mine)
        a = torch.tensor(self.teacher_share, dtype=mine.dtype, device=mine.device)
        return (mine - torch.logaddexp(a.log() + theirs, torch.log1p(-a) + mine)).exp()


def _remaining(counts: Tensor) -> Tensor:
    """How many places that count come after each that counts, (p,)."""
    after = counts.flip(1).cumsum(1).flip(1) - counts.long()
    return after[counts].float()
