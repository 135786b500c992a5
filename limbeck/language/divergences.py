"""Divergences between next-token distributions, one value per token.

With p the teacher's and q the student's distribution over the vocabulary:

=================  ==========================================================================
forward_kl         KL(p || q)
reverse_kl         KL(q || p)
jsd                beta KL(p || m) + (1 - beta) KL(q || m), m = beta p + (1 - beta) q;
                   KL(p || q) at beta = 0, KL(q || p) at beta = 1 (Agarwal et al. 2024, section 2)
skew_kl            KL(p || alpha p + (1 - alpha) q) (Ko et al. 2024, section 3)
skew_reverse_kl    KL(q || (1 - alpha) p + alpha q)
=================  ==========================================================================

The generalised Jensen-Shannon divergence itself tends to 0 at both ends; 0 and 1 stand for the two
KL divergences by convention, as in TRL. So the scale of the loss depends on beta, and a learning
rate that was found for one beta does not carry over to another.

All take log-probabilities, so that `chunked` can call them for some tokens at a time.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from limbeck.core.errors import InvalidInput, did_you_mean

__all__ = ["DIVERGENCES", "check_divergence", "token_divergence"]

DIVERGENCES = ("forward_kl", "reverse_kl", "jsd", "skew_kl", "skew_reverse_kl")


def check_divergence(divergence: str, beta: float, alpha: float, temperature: float) -> None:
    """Refuse settings that have no meaning.

    Parameters
    ----------
    divergence : str
        One of `DIVERGENCES`.
    beta : float
        Of "jsd", in [0, 1].
    alpha : float
        Of the skew divergences, in [0, 1).
    temperature : float
        Positive.

    Raises
    ------
    InvalidInput
        With what is allowed.
    """
    if divergence not in DIVERGENCES:
        raise InvalidInput(
            f"divergence is {divergence!r}.", did_you_mean(str(divergence), DIVERGENCES)
        )
    if not 0 <= beta <= 1:
        raise InvalidInput(f"beta is {beta}.", "Give a number from 0 (forward KL) to 1 (reverse).")
    if not 0 <= alpha < 1:
        raise InvalidInput(f"alpha is {alpha}.", "Give a number from 0 (no skew) to below 1.")
    if not 0 < temperature < math.inf:
        raise InvalidInput(f"temperature is {temperature}.", "Give a positive number.")


def token_divergence(
    log_q: Tensor,
    log_p: Tensor,
    divergence: str = "forward_kl",
    beta: float = 0.5,
    alpha: float = 0.1,
) -> Tensor:
    """The divergence of each token, in nats.

    Parameters
    ----------
    log_q : Tensor of shape (n, vocabulary)
        Log-probabilities of the student.
    log_p : Tensor of shape (n, vocabulary)
        Log-probabilities of the teacher; no gradient flows through them.
    divergence : str
        One of `DIVERGENCES`.
    beta : float
        Share of the teacher in the mixture of "jsd".
    alpha : float
        Share of the first argument in the mixture of the skew divergences. DistiLLM's public code
        takes no gradient through the q within the mixture of skew_reverse_kl; here the gradient is
        that of the divergence as written.

    Returns
    -------
    Tensor of shape (n,)
        A token to which only the second distribution gives probability 0 makes it infinite.

    Examples
    --------
    >>> import torch
    >>> p, q = torch.tensor([[0.5, 0.5]]).log(), torch.tensor([[0.25, 0.75]]).log()
    >>> [round(float(token_divergence(q, p, name)), 4) for name in ("forward_kl", "jsd")]
    [0.1438, 0.0338]
    """
    if divergence == "jsd" and beta in (0, 1):
        divergence = "reverse_kl" if beta else "forward_kl"
    if divergence == "forward_kl" or (divergence == "skew_kl" and alpha == 0):
        return _kl(log_p, log_q)
    if divergence == "reverse_kl" or (divergence == "skew_reverse_kl" and alpha == 0):
        return _kl(log_q, log_p)
    if divergence == "jsd":
        log_m = _mixture(log_p, log_q, beta)
        return beta * _kl(log_p, log_m) + (1 - beta) * _kl(log_q, log_m)
    if divergence == "skew_kl":
        return _kl(log_p, _mixture(log_p, log_q, alpha))
    return _kl(log_q, _mixture(log_p, log_q, 1 - alpha))


def _mixture(log_p: Tensor, log_q: Tensor, share: float) -> Tensor:
    """Log of share p + (1 - share) q."""
    neither = (log_p == -math.inf) & (log_q == -math.inf)  # there the gradient would be NaN
    log_p, log_q = log_p.masked_fill(neither, 0.0), log_q.masked_fill(neither, 0.0)
    return torch.logaddexp(log_p + math.log(share), log_q + math.log1p(-share))


def _kl(log_p: Tensor, log_q: Tensor) -> Tensor:
    """Sum over the vocabulary of p (log p - log q), with 0 log 0 = 0."""
    if log_p.is_cpu:  # looking at numbers costs nothing there
        found = F.kl_div(log_q, log_p, reduction="none", log_target=True).sum(-1)
        if not bool(found.detach().isnan().any()):  # so no 0 log 0 was among the terms
            return found
    absent = log_p == -math.inf
    difference = log_p.masked_fill(absent, 0.0) - log_q.masked_fill(absent, 0.0)
    return (log_p.exp() * difference).sum(-1)
