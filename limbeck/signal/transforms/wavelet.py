"""Orthogonal wavelets of signals and images (Mallat 1989)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from limbeck.core.errors import InvalidInput
from limbeck.signal.filters import (
    Boundary,
    band_names,
    check_boundary,
    check_levels,
    filter_of,
    sides,
)
from limbeck.signal.transforms.base import Matrix, Transform, like
from limbeck.signal.wavelets.bank import (
    analysis,
    analysis2,
    most_levels,
    synthesis,
    synthesis2,
)

__all__ = ["Wavelet"]


class Wavelet(Transform):
    """The wavelet transform of signals (n, L), (n, C, L) and of images (n, C, H, W).

    Coefficients have the order and values of ``pywt.wavedec`` and ``pywt.wavedec2``.

    Parameters
    ----------
    wavelet : str or array-like of shape (N,)
        An orthogonal wavelet by its name in PyWavelets, or a low-pass filter of even length, such
        as ``result.student.filters.low``.
    levels : int, optional
        How often the average is split again. By default while some coefficient is free of the
        ends of the signal; at most log2 of the shorter side.
    boundary : {"periodic", "symmetric", "zero"}
        How signals go on beyond their ends. Periodic has as many coefficients as there are values
        (one more for odd lengths), the others somewhat more.

    Raises
    ------
    InvalidInput
        If there is no such orthogonal wavelet, or, at ``fit``, if the rows are too short for so
        many levels.

    Examples
    --------
    >>> haar = Wavelet("haar", levels=2).fit([[4.0, 2.0, 1.0, 1.0]])
    >>> [band.name for band in haar.bands]
    ['approximation 2', 'detail 2', 'detail 1']
    """

    def __init__(
        self, wavelet: Any = "db5", levels: int | None = None, boundary: Boundary = "periodic"
    ) -> None:
        super().__init__()
        self.low = filter_of(wavelet)
        check_boundary(boundary)
        self.levels = levels
        self.boundary = boundary
        self._name = wavelet if isinstance(wavelet, str) else f"a filter of {len(self.low)} taps"
        self._depth = 0

    def __repr__(self) -> str:
        levels = self._depth or self.levels
        return f"Wavelet({self._name}, levels={levels}, boundary={self.boundary!r})"

    def _learn(self, rows: Matrix) -> Iterable[tuple[str, tuple[int, ...]]]:
        if rows.ndim > 4:
            raise InvalidInput(
                f"The rows have shape {rows.shape}.",
                "Give (n, length), (n, channels, length) or (n, channels, height, width).",
            )
        image = rows.ndim == 4
        shape = rows.shape[1:]
        free = max(1, most_levels(min(sides(shape)), len(self.low)))
        wanted = free if self.levels is None else self.levels
        check_levels(wanted, shape)
        self._depth = wanted
        one = torch.from_numpy(rows[:1])
        names = band_names(wanted, 2 if image else 1)
        return [
            (name, tuple(part.shape[1:]))
            for name, part in zip(names, self._parts(one), strict=True)
        ]

    def _parts(self, x: Tensor) -> Sequence[Tensor]:
        low = like(self.low, x)
        if x.ndim == 4:
            first, *details = analysis2(x, low, self._depth, self.boundary)
            return [first, *(part for level in details for part in level)]  # type: ignore[list-item]
        found = analysis(x if x.ndim == 3 else x[:, None], low, self._depth, self.boundary)
        return found if x.ndim == 3 else [part[:, 0] for part in found]

    def _whole(self, parts: Sequence[Tensor]) -> Tensor:
        low, shape = like(self.low, parts[0]), self.shape
        if len(shape) == 3:
            levels = [(parts[i], parts[i + 1], parts[i + 2]) for i in range(1, len(parts), 3)]
            return synthesis2([parts[0], *levels], low, (shape[1], shape[2]), self.boundary)
        if len(shape) == 2:
            return synthesis(parts, low, shape[-1], self.boundary)
        one = [part[:, None] for part in parts]
        return synthesis(one, low, shape[-1], self.boundary)[:, 0]
