"""What recurrent mixers share: decay and norm of each head, set from attention's own heads."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from limbeck.networks.conversion.mixers.base import Mixer
from limbeck.networks.conversion.mixers.rows import TokenRows, kept_values

__all__ = ["RecurrentHeads", "calibrate_heads"]

_DECAYS = (0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 4.0)


class RecurrentHeads(Mixer):
    """A mixer with a decay ``exp(A_log)`` a step and a norm of its own for each head."""

    A_log: nn.Parameter
    norm: nn.Parameter

    def calibrate(self, hidden: Tensor, rows: TokenRows, wanted: Tensor) -> None:
        """Take the decay that comes nearest to attention's head; see `calibrate_heads`.

        Parameters
        ----------
        hidden, rows, wanted
            As in `Mixer.calibrate`.
        """
        calibrate_heads([self], lambda: self.heads_out(hidden, rows, None)[0], rows, wanted)


@torch.no_grad()
def calibrate_heads(
    mixers: Sequence[RecurrentHeads], heads_out: Callable[[], Tensor], rows: TokenRows,
    wanted: Tensor,
) -> None:  # fmt: skip
    """Take the decay that comes nearest to attention's head, and scale by least squares.

    For each head and decay of a grid the channels are scaled so that the squared distance to
    the head of attention is least; the decay with the least distance is taken.

    Parameters
    ----------
    mixers : sequence of RecurrentHeads
        All get the same decay and scale, such as the two directions of an encoder.
    heads_out : callable
        What their heads return together, (n, t, h, p).
    rows : TokenRows
        Padding, which counts nothing.
    wanted : Tensor of shape (n, t, h, p)
        What the heads of attention returned.
    """
    first = mixers[0]
    wanted = kept_values(wanted, rows)
    least = torch.full_like(first.A_log, torch.inf)
    decay, scale = first.A_log.clone(), first.norm.clone()
    for rate in _DECAYS:
        for mixer in mixers:
            mixer.norm.fill_(1.0)
            mixer.A_log.fill_(math.log(rate))
        y = kept_values(heads_out(), rows)
        factor = (wanted * y).sum((0, 1)) / y.square().sum((0, 1)).clamp_min(1e-12)  # (h, p)
        rest = (wanted - factor * y).square().sum((0, 1, 3))  # (h,)
        better = rest < least
        least = torch.where(better, rest, least)
        decay[better] = math.log(rate)
        scale[better] = factor[better]
    for mixer in mixers:
        mixer.A_log.copy_(decay)
        mixer.norm.copy_(scale)
