"""A fixed wavelet transform of rows, by PyWavelets: signals and images to bands, and back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from limbeck.core.errors import InvalidInput
from limbeck.signal.filters import (
    MODES,
    Boundary,
    Filters,
    band_names,
    bank_of,
    check_boundary,
    check_levels,
    filters_of,
    pywavelets,
    sides,
)

__all__ = ["Band", "Decomposition"]

Matrix = NDArray[np.float64]
_DENSE = 1024  # up to so many inputs a matrix is faster than the cascade of filters


class Band(NamedTuple):
    """Coefficients that belong together: columns ``start`` to ``stop`` (one past the last).

    ``shape`` is that of one row's coefficients, such as (channels, length) or (components,).
    """

    name: str
    start: int
    stop: int
    shape: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Decomposition:
    """The wavelet transform of rows of shape (d,), d the product of ``shape``.

    Band by band (approximation, then details from coarse to fine, as ``pywt.wavedec`` and
    ``pywt.wavedec2`` give them), and within a band channel by channel.

    Parameters
    ----------
    low : ndarray of shape (N,)
        The low-pass filter; see :func:`limbeck.signal.filters.filter_of`.
    levels : int
        How often the approximation is split; 0 leaves the signals as they are.
    boundary : {"periodic", "symmetric", "zero"}
        How signals go on beyond their ends.
    shape : tuple of int
        (length,), (channels, length) or (channels, height, width).

    Raises
    ------
    InvalidInput
        If a setting is unknown, or the signals are too short for so many levels.
    MissingExtra
        If PyWavelets is not installed.
    """

    low: Matrix
    levels: int
    boundary: Boundary
    shape: tuple[int, ...]

    def __post_init__(self) -> None:
        pywavelets()
        check_boundary(self.boundary)
        if len(self.shape) not in (1, 2, 3) or min(self.shape) < 1:
            raise InvalidInput(
                f"The shape of a signal is {self.shape}.",
                "Give (length,), (channels, length) or (channels, height, width).",
            )
        check_levels(self.levels, self.shape, 0)

    @cached_property
    def filters(self) -> Filters:
        """The filters, low-pass and high-pass."""
        return filters_of(self.low)

    @cached_property
    def bands(self) -> tuple[Band, ...]:
        """The bands in their order."""
        names = band_names(self.levels, len(self._space))
        found, start = [], 0
        for name, part in zip(names, self._split(np.zeros((1, *self._grid))), strict=True):
            found.append(Band(name, start, start + part[0].size, part.shape[1:]))
            start += part[0].size
        return tuple(found)

    @cached_property
    def matrix(self) -> Matrix | None:
        """The transform as a matrix of shape (d, m); None where it would be large."""
        d = math.prod(self.shape)
        return self._cascade(np.eye(d)) if d <= _DENSE else None

    def forward(self, X: Matrix) -> Matrix:
        """Coefficients of shape (n, m) for rows of shape (n, d)."""
        return X @ self.matrix if self.matrix is not None else self._cascade(X)

    def inverse(self, S: Matrix) -> Matrix:
        """Rows of shape (n, d) from coefficients of shape (n, m)."""
        pywt, mode = pywavelets(), MODES[self.boundary]
        parts = [S[:, b.start : b.stop].reshape(-1, *b.shape) for b in self.bands]
        per_level = 1 if len(self._space) == 1 else 3
        x = parts[0]
        for j in range(self.levels):
            details = parts[1 + j * per_level : 1 + (j + 1) * per_level]
            x = _cut(x, details[0].shape[2:])  # one point more, where the finer level was odd
            if per_level == 1:
                x = pywt.idwt(x, details[0], self._wavelet, mode, axis=-1)
            else:
                x = pywt.idwt2((x, tuple(details)), self._wavelet, mode, axes=(-2, -1))
        return np.ascontiguousarray(_cut(x, self._space)).reshape(len(S), -1)

    def _cascade(self, X: Matrix) -> Matrix:
        parts = self._split(X.reshape(-1, *self._grid))
        return np.concatenate([p.reshape(len(X), -1) for p in parts], axis=1)

    def _split(self, x: Matrix) -> list[Matrix]:
        """The bands of signals (n, C, ...), each (n, C, ...)."""
        pywt, mode, parts = pywavelets(), MODES[self.boundary], []
        for _ in range(self.levels):
            if len(self._space) == 1:
                x, detail = pywt.dwt(x, self._wavelet, mode, axis=-1)
                parts.append([detail])
            else:
                x, details = pywt.dwt2(x, self._wavelet, mode, axes=(-2, -1))
                parts.append(list(details))
        return [x, *(p for level in parts[::-1] for p in level)]

    @cached_property
    def _wavelet(self) -> Any:
        return bank_of(self.low)

    @property
    def _space(self) -> tuple[int, ...]:
        return sides(self.shape)

    @property
    def _grid(self) -> tuple[int, ...]:
        return self.shape if len(self.shape) > 1 else (1, *self.shape)


def _cut(x: Matrix, sides: tuple[int, ...]) -> Matrix:
    """The first points along the last axes."""
    inside: Any = (..., *(slice(0, side) for side in sides))
    return np.asarray(x[inside])
