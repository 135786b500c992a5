"""Weights as shares of the gradient: 0.9 and 0.1 mean the same for losses of any size.

The norm of every term's gradient with respect to the student's weights is measured every 25
updates. The student's weights, rather than its outputs, because every term reaches them: a loss on
hidden states does not pass the outputs. Loss i, of share s_i, gets the factor

    w_i = s_i / mean(g_i),    the mean over all measurements so far,

so that its gradient, averaged over the training so far, has the norm s_i; and a loss that is
multiplied by a number changes nothing. The mean over all, rather than the last norm: factors come
to rest, so that what is minimised in the end is one weighted sum. With the last norm a term would
be amplified as it is learned, and a share of more than a half would win alone, whatever the others
say. (GradNorm: Chen et al. 2018 learn weights that equalise rates of training; here shares are
given and norms measured.)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from limbeck.networks.losses.loss import Objective
from limbeck.networks.training.engine import whole

__all__ = ["Balance", "balanced"]

EVERY = 25
"""Updates from one measurement to the next: one more backward pass of each term."""


def balanced(objective: object) -> Objective:
    """Let the weights of an objective mean shares of the gradient's norm.

    Parameters
    ----------
    objective : Objective or Loss
        ``balanced(0.9 * SoftTargets(temperature=4) + 0.1 * GoldLabels())``.

    Examples
    --------
    >>> from limbeck.networks import GoldLabels, SoftTargets, balanced
    >>> found = balanced(0.9 * SoftTargets(temperature=4) + 0.1 * GoldLabels())
    >>> found.balanced, [part.weight for part in found.parts]
    (True, [0.9, 0.1])
    """
    return replace(Objective.of(objective), balanced=True)


class Balance:
    """Factors of the terms, from their shares and the norms of their gradients.

    Parameters
    ----------
    parameters : sequence of nn.Parameter
        The student's weights.
    mean : callable
        The mean of a tensor over processes.
    maps : sequence of nn.Parameter
        Weights beside the student's, which a backward pass reaches as well.
    sharded : bool
        Whether the student's weights lie in shards over the processes.
    """

    def __init__(
        self,
        parameters: Sequence[nn.Parameter],
        mean: Callable[[Tensor], Tensor] = lambda x: x,
        maps: Sequence[nn.Parameter] = (),
        sharded: bool = False,
    ) -> None:
        self._parameters, self._mean, self._maps = list(parameters), mean, list(maps)
        self._norm = self._norm_in_shards if sharded else self._norm_at_once
        self._sums: dict[str, float] = {}
        self._counts: dict[str, int] = {}
        self._calls = 0

    def total(
        self, losses: dict[str, Tensor], shares: dict[str, float], part: float = 1.0
    ) -> Tensor:
        """The weighted sum of the losses, a scalar; measures every 25th time.

        Parameters
        ----------
        losses : dict of Tensor
            By term.
        shares : dict of float
            By term.
        part : float
            The share of an update that the losses are of; norms are as if they were of all.
        """
        if self._calls % EVERY == 0:
            self._measure(losses, part or 1.0)
        self._calls += 1
        parts = [w * losses[n] for n, w in self.factors(shares).items()]
        return torch.stack(parts).sum()

    def factors(self, shares: dict[str, float]) -> dict[str, float]:
        """The factor of each term; 0 for one that never had a gradient."""
        sums, counts = self._sums, self._counts
        return {n: s * counts[n] / sums[n] if n in sums else 0.0 for n, s in shares.items()}

    def _measure(self, losses: dict[str, Tensor], part: float = 1.0) -> None:
        found = [
            self._norm(loss) if loss.requires_grad else loss.new_zeros(())
            for loss in losses.values()
        ]
        for name, norm in zip(losses, (torch.stack(found) / part).tolist(), strict=True):
            if 0 < norm < math.inf:  # the loop reports what is no number
                self._sums[name] = self._sums.get(name, 0.0) + norm
                self._counts[name] = self._counts.get(name, 0) + 1

    def _norm_at_once(self, loss: Tensor) -> Tensor:
        """The norm of the mean of a loss's gradients over processes, not the mean of norms."""
        parts = torch.autograd.grad(loss, self._parameters, retain_graph=True, allow_unused=True)
        given = [p.flatten() for p in parts if p is not None]
        return self._mean(torch.cat(given)).norm() if given else loss.new_zeros(())

    def _norm_in_shards(self, loss: Tensor) -> Tensor:
        """The same of shards, which get their part of the mean in a backward pass, and only there.

        Gradients that were there before are put back.
        """
        every = [*self._parameters, *self._maps]
        kept = [p.grad for p in every]
        for p in every:
            p.grad = None
        loss.backward(retain_graph=True)  # type: ignore[no-untyped-call]
        given = [p.grad for p in self._parameters if p.grad is not None]
        norm: Tensor = whole(torch.nn.utils.get_total_norm(given))
        for p, grad in zip(every, kept, strict=True):
            p.grad = grad
        return norm if given else loss.new_zeros(())

    def state(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        return {"sums": self._sums, "counts": self._counts, "calls": self._calls}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self._sums, self._counts = dict(state["sums"]), dict(state["counts"])
        self._calls = state["calls"]
