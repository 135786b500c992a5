"""A forward and a backward scan, summed: a recurrence for encoders, which read both ways."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from torch import Tensor, nn

from limbeck.networks.conversion.mixers.base import AttentionParts, MixerState, Start
from limbeck.networks.conversion.mixers.recurrent_heads import RecurrentHeads, calibrate_heads
from limbeck.networks.conversion.mixers.rows import TokenRows

__all__ = ["TwoWay"]

_SHARED = ("x_proj", "B_proj", "C_proj", "out_proj", "C_norm", "B_norm")


class TwoWay(nn.Module):
    """y = scan(u) + reversed scan of reversed u, with the same projections for both.

    As in Vision Mamba (arXiv 2401.09417) both directions have their own convolution, decay, gate
    and norm, and their outputs are added.

    Parameters
    ----------
    kind : callable that makes RecurrentHeads
        The mixer of each direction.
    parts : AttentionParts
        The attention layer; its weights are copied.
    start : {"neutral", "published", "random"}
        As in `Mixer`.
    **options
        Settings of the mixer.
    """

    def __init__(
        self,
        kind: Callable[..., RecurrentHeads],
        parts: AttentionParts,
        start: Start,
        **options: Any,
    ) -> None:
        super().__init__()
        self.onward, self.back = kind(parts, start, **options), kind(parts, start, **options)
        for name in _SHARED:
            setattr(self.back, name, getattr(self.onward, name))

    def heads_out(self, hidden: Tensor, rows: TokenRows) -> Tensor:
        """What the heads return, (b, t, h, p), before the output projection.

        Parameters
        ----------
        hidden : Tensor of shape (b, t, d)
            Vectors of tokens.
        rows : TokenRows
            Padding; rows of several sequences are not known to encoders.
        """
        keep = None if rows.keep is None else rows.keep.flip(1)
        onward, _ = self.onward.heads_out(hidden, rows, None)
        back, _ = self.back.heads_out(hidden.flip(1), replace(rows, keep=keep), None)
        return onward + back.flip(1)

    def forward(self, hidden: Tensor, rows: TokenRows) -> tuple[Tensor, MixerState]:
        """Mixed vectors (b, t, d), and no state: an encoder reads all at once.

        Parameters
        ----------
        hidden, rows
            As in `heads_out`.
        """
        mixed: Tensor = self.onward.out_proj(self.heads_out(hidden, rows).flatten(2))
        return mixed, {}

    def calibrate(self, hidden: Tensor, rows: TokenRows, wanted: Tensor) -> None:
        """One decay and scale for both directions, nearest to attention's heads.

        Parameters
        ----------
        hidden, rows, wanted
            As in `Mixer.calibrate`.
        """
        both = [self.onward, self.back]
        calibrate_heads(both, lambda: self.heads_out(hidden, rows), rows, wanted)
