"""Transforms that are one matrix forth and one matrix back."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from limbeck.signal.transforms.base import Matrix, Transform, like

__all__ = ["MatrixTransform"]


class MatrixTransform(Transform):
    """s = A (x - centre) and x = B s + centre; rows of many axes are laid out in pieces of d.

    ``_learn`` sets ``centre`` (d,), ``forth`` = A (m, d) and ``back`` = B (d, m).
    """

    centre: Matrix
    forth: Matrix
    back: Matrix

    def _parts(self, x: Tensor) -> Sequence[Tensor]:
        pieces = x.reshape(len(x), -1, self.forth.shape[1])  # (n, C, d)
        s = (pieces - like(self.centre, x)) @ like(self.forth, x).T  # (n, C, m)
        return torch.split(s, [band.shape[-1] for band in self._bands], dim=-1)

    def _whole(self, parts: Sequence[Tensor]) -> Tensor:
        s = torch.cat([p.reshape(len(p), -1, p.shape[-1]) for p in parts], dim=-1)
        x = s @ like(self.back, s).T + like(self.centre, s)
        return x.reshape(-1, *self.shape)
