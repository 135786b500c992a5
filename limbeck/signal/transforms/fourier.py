"""Frequency bands: the orthonormal real Fourier transform of signals and images."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from limbeck.core.errors import InvalidInput
from limbeck.signal.transforms.base import Matrix, Transform

__all__ = ["Fourier"]

_HALF = 0.5**0.5


class Fourier(Transform):
    """The discrete Fourier transform in bands of frequency, as real numbers.

    The cosine and sine of each frequency are scaled so that the transform is an orthogonal matrix.
    Images are transformed along both axes; their frequency is sqrt(f_y^2 + f_x^2).

    Parameters
    ----------
    bands : int or sequence of float, optional
        So many bands of equal width from 0 to the highest frequency, or their edges, in cycles per
        sample, without 0 and the end. By default octaves: halves of the band below, down to the
        lowest frequency, and the mean by itself.

    Raises
    ------
    InvalidInput
        If the edges do not rise between 0 and 0.5 (0.71 for images), or there is no whole band.

    Examples
    --------
    >>> [band.name for band in Fourier(bands=[0.1]).fit([[0.0, 1.0, 0.0, 1.0]]).bands]
    ['up to 0.1', '0.1 to 0.5']
    """

    def __init__(self, bands: int | Sequence[float] | None = None) -> None:
        super().__init__()
        if isinstance(bands, int) and bands < 1:
            raise InvalidInput(f"bands is {bands}.", "Give at least 1.")
        self.given = bands
        self._order = self._back = np.zeros(0, np.int64)

    def __repr__(self) -> str:
        return f"Fourier(bands={self.given!r})"

    def _learn(self, rows: Matrix) -> Iterable[tuple[str, tuple[int, ...]]]:
        if rows.ndim > 4:
            raise InvalidInput(
                f"The rows have shape {rows.shape}.",
                "Give (n, length), (n, channels, length) or (n, channels, height, width).",
            )
        shape = rows.shape[1:]
        axes = [_frequencies(length) for length in (shape[1:] if len(shape) == 3 else shape[-1:])]
        along = np.sqrt(sum(f**2 for f in np.ix_(*axes)))
        frequency = np.broadcast_to(along, shape).ravel()
        top = 0.5 * len(axes) ** 0.5
        edges = self._edges(float(along[along > 0].min(initial=top)), top)
        which = np.searchsorted(edges, frequency - 1e-12)  # on an edge: the band below
        self._order = np.argsort(which, kind="stable")
        self._back = np.argsort(self._order)
        ends = [f"{e:.3g}" for e in (*edges, top)]
        names = [f"up to {ends[0]}"] + [f"{a} to {b}" for a, b in pairwise(ends)]
        sizes = np.bincount(which, minlength=len(names))
        if edges and edges[0] == 0:
            names[0] = "mean"
            names[1] = f"up to {ends[1]}"
        return [(n, (int(size),)) for n, size in zip(names, sizes, strict=True) if size]

    def _edges(self, lowest: float, top: float) -> list[float]:
        if self.given is None:
            octaves: list[float] = []
            while (edge := (octaves[-1] if octaves else top) / 2) >= lowest:
                octaves.append(edge)
            return [0.0, *octaves[::-1]]
        if isinstance(self.given, int):
            return [float(e) for e in np.linspace(0, top, self.given + 1)[1:-1]]
        edges = [float(e) for e in self.given]
        if not all(a < b for a, b in zip([0.0, *edges], [*edges, top], strict=True)):
            raise InvalidInput(
                f"The edges of the bands are {edges}.",
                f"Give rising frequencies above 0 and below {top:.3g} cycles per sample.",
            )
        return edges

    def _parts(self, x: Tensor) -> Sequence[Tensor]:
        s = _along(x, -1)
        if x.ndim == 4:
            s = _along(s, -2)
        s = s.reshape(len(x), -1)[:, torch.from_numpy(self._order).to(x.device)]
        return torch.split(s, [band.stop - band.start for band in self._bands], dim=1)

    def _whole(self, parts: Sequence[Tensor]) -> Tensor:
        s = torch.cat(list(parts), dim=1)[:, torch.from_numpy(self._back).to(parts[0].device)]
        s = s.reshape(-1, *self.shape)
        if s.ndim == 4:
            s = _from(s, -2)
        return _from(s, -1)


def _frequencies(length: int) -> NDArray[np.float64]:
    """Cycles per sample of each coefficient of ``_along``: 0, then cosine and sine of each."""
    return ((np.arange(length) + 1) // 2) / length


def _along(x: Tensor, axis: int) -> Tensor:
    """The orthonormal real transform along an axis: mean, cosine 1, sine 1, cosine 2, ..."""
    x = x.transpose(axis, -1)
    length = x.shape[-1]
    pairs = torch.view_as_real(torch.fft.rfft(x, norm="ortho")) / _HALF  # (..., L // 2 + 1, 2)
    first, rest = pairs[..., :1, 0] * _HALF, pairs[..., 1:, :].flatten(-2)[..., : length - 1]
    if length % 2 == 0:  # the highest frequency has a cosine only
        rest = torch.cat([rest[..., :-1], rest[..., -1:] * _HALF], -1)
    return torch.cat([first, rest], -1).transpose(axis, -1)


def _from(s: Tensor, axis: int) -> Tensor:
    """The inverse of ``_along``."""
    s = s.transpose(axis, -1)
    length = s.shape[-1]
    first, rest = s[..., :1] / _HALF, s[..., 1:]
    if length % 2 == 0:
        rest = torch.cat([rest[..., :-1], rest[..., -1:] / _HALF], -1)
        rest = torch.nn.functional.pad(rest, (0, 1))
    pairs = torch.cat([first, torch.zeros_like(first), rest], -1) * _HALF
    spectrum = torch.view_as_complex(pairs.reshape(*pairs.shape[:-1], -1, 2).contiguous())
    x: Tensor = torch.fft.irfft(spectrum, n=length, norm="ortho")
    return x.transpose(axis, -1)
