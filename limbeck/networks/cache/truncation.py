"""The largest k logits of a row and the probability they leave out, instead of all logits.

With p the softmax of the full logits and q that of the restored ones, r the mass left out and m
the number of outputs that share it (the restored tail is even), at temperature 1::

    total variation(p, q) <= r (1 - 1/m),        KL(p || q) <= r ln m,

the second since KL(p || q) = r (ln m - H), where H >= 0 is the entropy of p within the tail.

At a temperature T > 1 the mass that the softened p leaves out is at most s, the tail of the
softened q, since a concave power sum is largest where the tail is even. With top shares alike,
total variation is at most s and KL(p || q) at most s ln m - ln(1 - s). Both are known from what is
stored. Below 1 the tail only shrinks: the total variation stays at most r.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from limbeck.core.errors import InvalidInput

__all__ = ["error_bounds", "restored_logits", "shortened"]


def shortened(logits: Tensor, top: int) -> tuple[Tensor, Tensor, Tensor]:
    """The largest logits, their places, and the logarithm of the mass left out.

    Parameters
    ----------
    logits : Tensor of shape (..., k)
    top : int
        How many are kept; less than k.

    Returns
    -------
    values : Tensor of shape (..., top)
        Largest first.
    indices : Tensor of shape (..., top), int64
    log_rest : Tensor of shape (...,)
        ln of the softmax's mass outside ``indices``.
    """
    values, indices = logits.topk(top, dim=-1)
    tail = logits.scatter(-1, indices, -math.inf).logsumexp(-1)
    return values, indices, tail - logits.logsumexp(-1)


def restored_logits(values: Tensor, indices: Tensor, log_rest: Tensor, outputs: int) -> Tensor:
    """Logits of shape (..., outputs): what was kept as it was, the mass left out spread evenly.

    Parameters
    ----------
    values : Tensor of shape (..., top)
        The largest logits.
    indices : Tensor of int64, shape (..., top)
        Their positions.
    log_rest : Tensor of shape (...)
        Logarithm of the mass of all others.
    outputs : int
        Number of logits.
    """
    dense = _tail(values, log_rest, outputs)[..., None].repeat(*[1] * log_rest.ndim, outputs)
    return dense.scatter_(-1, indices, values)


def error_bounds(
    values: Tensor, log_rest: Tensor, outputs: int, temperature: float = 1.0
) -> tuple[Tensor, Tensor]:
    """Bounds of the error of every row, each of shape (...,), in float64.

    Parameters
    ----------
    values, log_rest : Tensor
        As from `shortened`.
    outputs : int
        How many logits there were.
    temperature : float
        Of the softmax that is compared; 1 or more.

    Returns
    -------
    total_variation, divergence : Tensor
        Of the full softmax and of the restored one; the divergence KL(full || restored) in nats.

    Raises
    ------
    InvalidInput
        If the temperature is below 1.
    """
    if not temperature >= 1:
        raise InvalidInput(f"The temperature is {temperature}.", "The bound holds from 1 on.")
    values, log_rest = values.double(), log_rest.double()
    m = outputs - values.shape[-1]
    if temperature == 1:
        rest = log_rest.exp()
        return rest * (1 - 1 / m), rest * math.log(m)
    tail = _tail(values, log_rest, outputs) / temperature + math.log(m)
    log_odds = tail - (values / temperature).logsumexp(-1)  # of the softened tail
    rest = log_odds.sigmoid()
    return rest, rest * math.log(m) - torch.nn.functional.logsigmoid(-log_odds)


def _tail(values: Tensor, log_rest: Tensor, outputs: int) -> Tensor:
    """The logit that each output of the tail has: mass (r / m) beside a top of mass 1 - r."""
    log_top = (-torch.expm1(log_rest)).log()
    return values.logsumexp(-1) - log_top + log_rest - math.log(outputs - values.shape[-1])
