"""What recurrent mixers share: decay and norm of each head, set from attention's own heads."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from limbeck.networks.conversion.mixers.base import Mixer
from limbeck.networks.conversion.mixers.rows import TokenRows

__all__ = ["RecurrentHeads"]

_DECAYS = (0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 4.0)


class RecurrentHeads(Mixer):
    """A mixer with a decay ``exp(A_log)`` a step and a norm of its own for each head."""

    A_log: nn.Parameter
    norm: nn.Parameter

    @torch.no_grad()
    def calibrate(self, hidden: Tensor, rows: TokenRows, wanted: Tensor) -> None:
        """Take the decay that comes nearest to attention's head, and scale by least squares.

        For each head and decay of a grid the channels are scaled so that the squared distance to
        the head of attention is least; the decay with the least distance is taken.

        Parameters
        ----------
        hidden, rows, wanted
            As in `Mixer.calibrate`.
        """
        least = torch.full_like(self.A_log, torch.inf)
        decay, scale = self.A_log.clone(), self.norm.clone()
        self.norm.fill_(1.0)
        for rate in _DECAYS:
            self.A_log.fill_(math.log(rate))
            y, _ = self.heads_out(hidden, rows, None)
            factor = (wanted * y).sum((0, 1)) / y.square().sum((0, 1)).clamp_min(1e-12)  # (h, p)
            rest = (wanted - factor * y).square().sum((0, 1, 3))  # (h,)
            better = rest < least
            least = torch.where(better, rest, least)
            decay[better] = math.log(rate)
            scale[better] = factor[better]
        self.A_log.copy_(decay)
        self.norm.copy_(scale)
