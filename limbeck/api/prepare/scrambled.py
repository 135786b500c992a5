"""Whether a network knows more of the labels than the same weights in random places."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from limbeck.data.class_order import beyond_chance

__all__ = ["looks_trained"]

DRAWS = 99
"""So that a network with fresh weights is taken for a trained one once in 100 times at most."""
_WHOLE = 1 << 20  # entries of a tensor that are put in places one by one; beyond, whole lines are

Answers = tuple[NDArray[np.int64], NDArray[np.int64]]


def looks_trained(
    module: nn.Module, answers: Callable[[nn.Module], Answers], k: int, draws: int = DRAWS
) -> bool:
    """Whether a network beats 99 copies of itself with the weights of each tensor shuffled.

    Fresh weights are drawn alike and apart, so that each shuffled copy is as likely as the network
    itself: that it knows more than all of them has the probability 1 / (draws + 1) at most (a
    permutation test; Phipson and Smyth 2010). What it knows are the right answers
    beyond chance in the best order of its outputs, see `limbeck.data.class_order.beyond_chance`.

    Parameters
    ----------
    module : nn.Module
        It stays as it is.
    answers : callable
        Labels and answers (n,) of a network, as places in the classes.
    k : int
        The number of classes.
    draws : int
        How many copies there are at most; the first that knows as much ends it.

    Returns
    -------
    bool
        True as well where there are no weights to shuffle, or the network cannot be copied.
    """
    try:
        other = copy.deepcopy(module)
    except Exception:  # what users have may refuse to be copied in any way
        return True
    pairs = [
        (p, q)
        for p, q in zip(module.parameters(), other.parameters(), strict=True)
        if p.is_floating_point() and p.numel() > 1
    ]
    if not pairs:
        return True
    known = beyond_chance(*answers(module), k)
    generator = torch.Generator().manual_seed(0)
    for _ in range(draws):
        with torch.no_grad():
            for given, own in pairs:
                own.copy_(_shuffled(given.detach(), generator))
        if beyond_chance(*answers(other), k) >= known:
            return False
    return True


def _shuffled(weights: Tensor, generator: torch.Generator) -> Tensor:
    """The same numbers in other places: all of them, or of a large tensor whole lines."""
    if weights.numel() <= _WHOLE:
        places = torch.randperm(weights.numel(), generator=generator).to(weights.device)
        return weights.flatten()[places].view_as(weights)
    for axis in range(weights.ndim):
        places = torch.randperm(weights.shape[axis], generator=generator).to(weights.device)
        weights = weights.index_select(axis, places)
    return weights
