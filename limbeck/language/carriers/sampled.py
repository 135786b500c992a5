"""A few tokens drawn from the teacher's distribution, with their counts: small and unbiased.

With N tokens drawn with replacement from p, the target counts / N has the mean p, so the gradient
of the forward KL is that of the full distribution on average, whatever mass the tokens drawn have;
its mean squared error is (1 - sum p^2) / N (random-sampling distillation, arXiv 2503.16870). The
largest k log-probabilities of the same size are biased.

The entropy of p is kept too, so that the loss is the KL on average and not the cross-entropy. For a
single token it may be negative.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from limbeck.core.errors import InvalidInput
from limbeck.language.carriers.signal import TeacherSignal

__all__ = ["SampledTokens", "counted", "draw_tokens"]


class SampledTokens(TeacherSignal):
    """Distributions known by tokens drawn from them.

    Parameters
    ----------
    ids : Tensor of int64, shape (tokens, k)
        Tokens drawn at each place; any id where the share is 0.
    shares : Tensor of shape (tokens, k)
        Count / draws; 0 where less than k tokens are different.
    entropy : Tensor of shape (tokens,)
        Of the distributions, in nats.
    vocabulary : int
        How many outputs the teacher has.
    cut : bool
        Whether students with more outputs are cut to these.

    Examples
    --------
    >>> import torch
    >>> ids, shares = torch.tensor([[2, 0]]), torch.tensor([[0.75, 0.25]])
    >>> signal = SampledTokens(ids, shares, torch.tensor([0.6]), vocabulary=4)
    >>> log_q = torch.full((1, 4), 0.25).log()
    >>> round(float(signal.token_loss(log_q, torch.tensor([0]))), 4)  # ln 4 - 0.6
    0.7863
    """

    name: ClassVar[str] = "sampled"

    def __init__(
        self, ids: Tensor, shares: Tensor, entropy: Tensor, vocabulary: int, cut: bool = False
    ) -> None:
        self.ids, self.shares, self.entropy = ids, shares, entropy
        self.vocabulary, self.cut = vocabulary, cut

    def __len__(self) -> int:
        return len(self.ids)

    def check(self, divergence: str, temperature: float) -> None:
        """Only the forward KL at temperature 1 has an unbiased gradient."""
        if divergence != "forward_kl" or temperature != 1:
            raise InvalidInput(
                f"The divergence is {divergence!r} at temperature {temperature}, and what is kept"
                " of the teacher are tokens drawn at temperature 1.",
                'Use divergence="forward_kl" at temperature 1, or record with keep="hidden".',
            )

    def token_loss(
        self,
        log_q: Tensor,
        places: Tensor,
        divergence: str = "forward_kl",
        beta: float = 0.5,
        alpha: float = 0.1,
        temperature: float = 1.0,
    ) -> Tensor:
        """Unbiased estimates of KL(p || q)."""
        shares = self.shares[places].to(log_q.dtype)
        log_q = log_q.gather(1, self.ids[places]).masked_fill(shares == 0, 0.0)
        return -(shares * log_q).sum(-1) - self.entropy[places].to(log_q.dtype)


def draw_tokens(log_p: Tensor, draws: int, generator: torch.Generator) -> Tensor:
    """Tokens drawn with replacement, (n, draws) of int64, the same on every device.

    Parameters
    ----------
    log_p : Tensor of shape (n, vocabulary)
        Log-probabilities.
    draws : int
        N.
    generator : torch.Generator
        Of a CPU.
    """
    ends = log_p.double().exp().cumsum(-1)  # in float32 the sum of 49,152 would drift
    uniform = torch.rand(len(log_p), draws, generator=generator, dtype=torch.float64)
    found = torch.searchsorted(ends, uniform.to(ends.device) * ends[:, -1:], right=True)
    return found.clamp_max(log_p.shape[-1] - 1)


def counted(drawn: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Different tokens of each place with their counts, the most frequent first.

    Parameters
    ----------
    drawn : ndarray of int, shape (n, draws)
        Tokens of each place.

    Returns
    -------
    distinct : ndarray of shape (n,)
        How many tokens are different.
    ids, counts : ndarray of shape (sum of distinct,)
        Of all places one after another.

    Examples
    --------
    >>> [part.tolist() for part in counted(np.array([[7, 3, 7], [1, 1, 1]]))]
    [[2, 1], [7, 3, 1], [2, 1, 3]]
    """
    ordered = np.sort(drawn, axis=1)
    first = np.ones(ordered.shape, dtype=bool)
    first[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    at = np.flatnonzero(first)
    counts = np.diff(at, append=ordered.size)
    ids, places = ordered.reshape(-1)[at], at // ordered.shape[1]
    order = np.lexsort((ids, -counts, places))
    return first.sum(1), ids[order], counts[order]
