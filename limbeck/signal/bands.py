"""A fixed wavelet transform of rows, by PyWavelets: signals and images to bands, and back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from limbeck.core.errors import InvalidInput, MissingExtra, did_you_mean

__all__ = ["Band", "Boundary", "Decomposition", "Filters", "filter_of"]

Boundary = Literal["periodic", "symmetric", "zero"]
Matrix = NDArray[np.float64]
_MODES = {"periodic": "periodization", "symmetric": "symmetric", "zero": "zero"}
_DENSE = 1024  # up to so many inputs a matrix is faster than the cascade of filters


class Filters(NamedTuple):
    """The low-pass filter h (PyWavelets' ``rec_lo``) and g_k = (-1)^k h_{N-1-k}, of shape (N,)."""

    low: Matrix
    high: Matrix


class Band(NamedTuple):
    """Coefficients ``start`` to ``stop`` of a row, of shape (C, length) or (C, height, width)."""

    name: str
    start: int
    stop: int
    shape: tuple[int, ...]


def filter_of(low: Any) -> Matrix:
    """The low-pass filter of shape (N,), from numbers or from the name of an orthogonal wavelet.

    Raises
    ------
    InvalidInput
        If there is no such wavelet, it is not orthogonal, or the numbers are no filter.
    """
    if isinstance(low, str):
        pywt = _pywt()
        known = [n for n in pywt.wavelist(kind="discrete") if pywt.Wavelet(n).orthogonal]
        known.remove("dmey")  # cut off: orthogonal to two digits only
        if low not in known:
            families = "Give haar, db1 to db38, sym2 to sym20 or coif1 to coif17."
            raise InvalidInput(
                f"{low!r} is not among the orthogonal wavelets of PyWavelets.",
                did_you_mean(low, known, families),
            )
        low = pywt.Wavelet(low).rec_lo
    taps = np.asarray(low, dtype=np.float64)
    if taps.ndim != 1 or len(taps) < 2 or len(taps) % 2 or not np.isfinite(taps).all():
        raise InvalidInput(
            f"The low-pass filter has shape {taps.shape}, or a number that is not finite.",
            "Give an even number of taps, such as pywt.Wavelet('db5').rec_lo.",
        )
    return taps


@dataclass(frozen=True, eq=False)
class Decomposition:
    """The wavelet transform of rows of shape (d,), d the product of ``shape``.

    Band by band (approximation, then details from coarse to fine, as ``pywt.wavedec`` and
    ``pywt.wavedec2`` give them), and within a band channel by channel.

    Parameters
    ----------
    low : ndarray of shape (N,)
        The low-pass filter; see :func:`filter_of`.
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
        _pywt()
        if self.boundary not in get_args(Boundary):
            raise InvalidInput(
                f"There is no boundary {self.boundary!r}.",
                did_you_mean(str(self.boundary), get_args(Boundary)),
            )
        if len(self.shape) not in (1, 2, 3) or min(self.shape) < 1:
            raise InvalidInput(
                f"The shape of a signal is {self.shape}.",
                "Give (length,), (channels, length) or (channels, height, width).",
            )
        side = min(self._space)
        most = int(math.log2(side))
        whole = isinstance(self.levels, int | np.integer) and not isinstance(self.levels, bool)
        if not whole or not 0 <= self.levels <= most:
            raise InvalidInput(
                f"levels is {self.levels!r}, and signals of {' x '.join(map(str, self._space))}"
                f" points have at most {most}.",
                f"Give a number from 1 to {most}." if most else "Give longer signals.",
            )

    @cached_property
    def filters(self) -> Filters:
        """The filters, low-pass and high-pass."""
        signs = np.where(np.arange(len(self.low)) % 2, -1.0, 1.0)
        return Filters(self.low, signs * self.low[::-1])

    @cached_property
    def bands(self) -> tuple[Band, ...]:
        """The bands in their order."""
        names = [f"approximation {self.levels}"]
        kinds = ("detail",) if len(self._space) == 1 else ("horizontal", "vertical", "diagonal")
        names += [f"{kind} {j}" for j in range(self.levels, 0, -1) for kind in kinds]
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
        pywt, mode = _pywt(), _MODES[self.boundary]
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
        pywt, mode, parts = _pywt(), _MODES[self.boundary], []
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
        low, high = self.filters
        return _pywt().Wavelet("limbeck", filter_bank=(low[::-1], high[::-1], low, high))

    @property
    def _space(self) -> tuple[int, ...]:
        return self.shape[1:] if len(self.shape) > 1 else self.shape

    @property
    def _grid(self) -> tuple[int, ...]:
        return self.shape if len(self.shape) > 1 else (1, *self.shape)


def _cut(x: Matrix, sides: tuple[int, ...]) -> Matrix:
    """The first points along the last axes."""
    inside: Any = (..., *(slice(0, side) for side in sides))
    return np.asarray(x[inside])


def _pywt() -> Any:
    try:
        import pywt
    except ImportError:
        raise MissingExtra(
            "Wavelets need the package PyWavelets.", "pip install 'limbeck[wavelets]'."
        ) from None
    return pywt
