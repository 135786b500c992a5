"""How wavelet settings are read, once for all that use them: filters, boundaries, levels, names.

A low-pass filter ``h`` is PyWavelets' ``rec_lo``, and the high-pass filter its alternating flip,
g_k = (-1)^k h_{N-1-k}, which is ``rec_hi`` (Mallat 1989). No torch: students predict without it.
"""

from __future__ import annotations

import math
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from limbeck.core.errors import InvalidInput, MissingExtra, did_you_mean

__all__ = [
    "MODES",
    "Boundary",
    "Filters",
    "band_names",
    "bank_of",
    "check_boundary",
    "check_levels",
    "filter_of",
    "filters_of",
    "functions",
    "pywavelets",
    "sides",
    "usual_levels",
]

Boundary = Literal["periodic", "symmetric", "zero"]
"""How a signal goes on beyond its ends; PyWavelets calls the first periodization."""
MODES = {"periodic": "periodization", "symmetric": "symmetric", "zero": "zero"}
"""The names of the boundaries in PyWavelets."""
_FAMILIES = "Give haar, db1 to db38, sym2 to sym20 or coif1 to coif17."
_MOST_LEVELS = 4  # by default
_HALVINGS = 5  # of the grid on which functions are drawn
Curve = tuple[NDArray[np.float64], NDArray[np.float64]]


class Filters(NamedTuple):
    """The low-pass filter h (PyWavelets' ``rec_lo``) and g_k = (-1)^k h_{N-1-k}, of shape (N,)."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]


def filter_of(low: Any) -> NDArray[np.float64]:
    """The low-pass filter of shape (N,), from numbers or from the name of an orthogonal wavelet.

    Parameters
    ----------
    low : str, array-like or Tensor of shape (N,)
        A name of PyWavelets, such as ``"db5"``; or an even number of taps.

    Raises
    ------
    InvalidInput
        If there is no such wavelet, it is not orthogonal, or the numbers are no filter.
    MissingExtra
        If a name is given and PyWavelets is not installed.
    """
    if isinstance(low, str):
        pywt = pywavelets()
        known = [n for n in pywt.wavelist(kind="discrete") if pywt.Wavelet(n).orthogonal]
        known.remove("dmey")  # cut off: orthogonal to two digits only
        if low not in known:
            raise InvalidInput(
                f"{low!r} is not among the orthogonal wavelets of PyWavelets.",
                did_you_mean(low, known, _FAMILIES),
            )
        low = pywt.Wavelet(low).rec_lo
    try:
        given = low.detach().cpu().numpy() if hasattr(low, "detach") else low
        taps = np.array(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidInput(
            f"The low-pass filter is {low!r}.",
            "Give the name of an orthogonal wavelet, such as 'db5', or a row of taps.",
        ) from None
    if taps.ndim != 1 or len(taps) < 2 or len(taps) % 2 or not np.isfinite(taps).all():
        raise InvalidInput(
            f"The low-pass filter has shape {taps.shape}, or a number that is not finite.",
            "Give one row of an even number of finite taps, such as pywt.Wavelet('db5').rec_lo.",
        )
    return taps


def filters_of(low: NDArray[np.float64]) -> Filters:
    """The low-pass filter with its high-pass filter, the alternating flip."""
    signs = np.where(np.arange(len(low)) % 2, -1.0, 1.0)
    return Filters(low, signs * low[::-1])


def bank_of(low: NDArray[np.float64]) -> Any:
    """The wavelet of a low-pass filter, as PyWavelets takes it.

    Raises
    ------
    MissingExtra
        If PyWavelets is not installed.
    """
    low, high = filters_of(low)
    return pywavelets().Wavelet("limbeck", filter_bank=(low[::-1], high[::-1], low, high))


def functions(low: NDArray[np.float64]) -> tuple[Curve, Curve]:
    """The scaling function and the wavelet of a filter, each as (x, y), by the cascade algorithm.

    PyWavelets' ``wavefun`` (Daubechies and Lagarias 1991), 32 points per sample.
    """
    bank = bank_of(low)
    bank.orthogonal = True
    phi, psi, x = bank.wavefun(level=_HALVINGS)
    return (np.asarray(x), np.asarray(phi)), (np.asarray(x), np.asarray(psi))


def check_boundary(boundary: Any) -> None:
    """Refuse a boundary that is not known.

    Raises
    ------
    InvalidInput
        With the name, and those that are known.
    """
    known = get_args(Boundary)
    if boundary not in known:
        raise InvalidInput(f"boundary is {boundary!r}.", did_you_mean(str(boundary), known))


def sides(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The length of a signal, or height and width of an image, without its channels."""
    return shape[1:] if len(shape) > 1 else shape


def check_levels(levels: Any, shape: tuple[int, ...], least: int = 1) -> None:
    """Refuse a number of levels at which no value would be left in a band.

    Parameters
    ----------
    levels : int
        How often the approximation is split.
    shape : tuple of int
        (length,), (channels, length) or (channels, height, width).
    least : int
        The smallest number allowed.

    Raises
    ------
    InvalidInput
        If it is no whole number from ``least`` to log2 of the shortest side.
    """
    space = sides(shape)
    most = int(min(space)).bit_length() - 1
    whole = isinstance(levels, int | np.integer) and not isinstance(levels, bool)
    if not whole or not least <= levels <= most:
        raise InvalidInput(
            f"levels is {levels!r}, and signals of {' x '.join(map(str, space))}"
            f" points have at most {most}.",
            f"Give a number from 1 to {most}." if most else "Give longer signals.",
        )


def usual_levels(shape: tuple[int, ...]) -> int:
    """The levels of a student by default: up to 4, and the coarsest band has 4 points or more."""
    most = int(math.log2(min(sides(shape))))
    return max(min(_MOST_LEVELS, most - 2), min(1, most))


def band_names(levels: int, dims: int = 1) -> tuple[str, ...]:
    """Names of the bands, from coarse to fine, of signals (dims 1) or images (dims 2).

    Parameters
    ----------
    levels : int
        Number of levels.
    dims : {1, 2}
        1 for signals, 2 for images.

    Examples
    --------
    >>> band_names(2)
    ('approximation 2', 'detail 2', 'detail 1')
    """
    kinds = ("detail",) if dims == 1 else ("horizontal", "vertical", "diagonal")
    details = (f"{kind} {j}" for j in range(levels, 0, -1) for kind in kinds)
    return (f"approximation {levels}", *details)


def pywavelets() -> Any:
    """The package PyWavelets.

    Raises
    ------
    MissingExtra
        If it is not installed.
    """
    try:
        import pywt
    except ImportError:
        raise MissingExtra(
            "Wavelets need the package PyWavelets.", "pip install 'limbeck[wavelets]'."
        ) from None
    return pywt
