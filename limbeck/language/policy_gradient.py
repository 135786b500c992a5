"""On-policy distillation from one number a token: the teacher's log-probability of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from limbeck.core.errors import InvalidInput
from limbeck.language.chunked import TokenSum
from limbeck.language.on_policy import check_sampling
from limbeck.language.text_step import TextStep

__all__ = ["PolicyGradient", "discounted", "rewards"]


@dataclass(frozen=True)
class PolicyGradient:
    """Reverse KL by policy gradient: reward log p(y_t) - log q(y_t) for each token of own texts.

    As in `tinker_cookbook/distillation/train_on_policy.py` of Thinking Machines Lab: the advantage
    of a token is its reward plus the discounted rewards after it, without a gradient, and the loss
    is minus the mean of advantage times q / q_old. Each text is learned from once, with the weights
    that wrote it, so the ratio is 1 and only its gradient matters.
    What is asked of the teacher is one number a token.

    Parameters
    ----------
    discount : float
        Of rewards of later tokens, in [0, 1]; 0 counts a token's own reward alone.
    centred : bool
        Whether the mean advantage of the batch is subtracted, which lowers the variance.
    max_new_tokens : int, optional
        Tokens of an own text at most; by default that of `limbeck.distill`.

    Raises
    ------
    InvalidInput
        If a setting has no meaning.

    Examples
    --------
    >>> from limbeck.language import PolicyGradient
    >>> PolicyGradient(discount=0.0).share
    1.0
    """

    needs_teacher: ClassVar[bool] = True
    teacher_share: ClassVar[float] = 0.0
    share: ClassVar[float] = 1.0
    temperature: ClassVar[float] = 1.0  # at another one the texts would not be the student's own
    discount: float = 0.0
    centred: bool = True
    max_new_tokens: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.discount <= 1:
            raise InvalidInput(f"discount is {self.discount}.", "Give a number from 0 to 1.")
        check_sampling(1.0, 1.0, self.max_new_tokens)

    def text_loss(self, step: TextStep) -> TokenSum:
        """Minus advantage times ratio, summed over the tokens that count.

        Parameters
        ----------
        step : TextStep
            One batch of the student's own texts.
        """
        mine, _ = logs = step.log_probabilities()
        advantage = discounted(rewards(*logs), step.counts, self.discount)
        if self.centred and len(advantage):
            advantage = advantage - advantage.mean()
        ratio = (mine - mine.detach()).exp()
        return TokenSum(-(ratio * advantage).sum(), mine.new_tensor(float(len(mine))))


def rewards(mine: Tensor, theirs: Tensor) -> Tensor:
    """Log p(y_t) - log q(y_t) of each token (p,), without a gradient.

    Parameters
    ----------
    mine, theirs : Tensor of shape (p,)
        Log-probabilities of the student and of the teacher.
    """
    return (theirs - mine).detach()


def discounted(values: Tensor, counts: Tensor, discount: float, later: bool = False) -> Tensor:
    """Each value plus the discounted ones after it in its own text.

    Parameters
    ----------
    values : Tensor of shape (p,)
        One for each place that counts, row after row.
    counts : Tensor of bool, shape (n, t)
        Which places count.
    discount : float
        In [0, 1].
    later : bool
        Whether only values after it are added up, and not its own.
    """
    if discount == 0 and not later:
        return values
    table = torch.zeros(counts.shape, dtype=values.dtype, device=values.device)
    table[counts] = values
    sums, after = torch.zeros_like(table), torch.zeros_like(table[:, 0])
    for place in range(table.shape[1] - 1, -1, -1):
        own = table[:, place]
        sums[:, place] = after if later else own + discount * after
        after = own + discount * after
    return sums[counts]
