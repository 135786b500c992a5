"""The differentiable wavelet transform of signals and images (Mallat 1989).

The low-pass filter ``h`` is PyWavelets' ``rec_lo`` (``dec_lo`` is its reverse), and the high-pass
filter is its alternating flip, g_k = (-1)^k h_{N-1-k}, which is ``rec_hi``. Coefficients have the
order and values of ``pywt.wavedec`` and ``pywt.wavedec2`` in the modes periodization, symmetric and
zero. For orthogonal filters the periodic transform of an even length is an orthogonal matrix.

ptwt has differentiable transforms too, as fast for one filter (benchmarks/wavelets.py). This one is
kept for what ptwt 1.0 has not: PyWavelets' periodization (its "periodic" is another, longer
transform), many filters at once, and the transpose of the inverse.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor
from torch.nn import functional

from limbeck.core.errors import InvalidInput
from limbeck.signal.filters import Boundary, check_boundary

__all__ = [
    "Image",
    "analysis",
    "analysis2",
    "attributions",
    "attributions2",
    "band_lengths",
    "high_pass",
    "most_levels",
    "synthesis",
    "synthesis2",
]

_Extension = Literal["periodic", "symmetric", "zero", "periodic, zero to even"]
Image = list[Tensor | tuple[Tensor, Tensor, Tensor]]
"""Coefficients of an image: the approximation, then (horizontal, vertical, diagonal) by level."""


def high_pass(h: Tensor) -> Tensor:
    """The alternating flip g_k = (-1)^k h_{N-1-k} of filters, shape (..., N)."""
    signs = torch.ones(h.shape[-1], dtype=h.dtype, device=h.device)
    signs[1::2] = -1
    return h.flip(-1) * signs


def most_levels(length: int, taps: int) -> int:
    """The most levels at which some coefficient is free of the ends: ``pywt.dwt_max_level``.

    floor(log2(length / (taps - 1))), and 0 where the signal is shorter than that.

    Parameters
    ----------
    length : int
        Length of the signal.
    taps : int
        Length of the filter.
    """
    return max(0, (length // (taps - 1)).bit_length() - 1) if taps > 1 else 0


def band_lengths(length: int, taps: int, levels: int, boundary: Boundary) -> tuple[int, ...]:
    """Lengths of the bands of a signal, in the order of ``analysis``.

    Parameters
    ----------
    length : int
        Length of the signal.
    taps : int
        Length of the filter.
    levels : int
        Number of levels.
    boundary : str
        How signals go on beyond their ends.
    """
    at = _lengths(length, taps, levels, boundary)
    return (at[-1], *at[:0:-1])


def analysis(x: Tensor, h: Tensor, levels: int, boundary: Boundary = "periodic") -> list[Tensor]:
    """The wavelet transform of signals.

    Parameters
    ----------
    x : Tensor of shape (n, C, L)
        Signals with C channels, each transformed alone.
    h : Tensor of shape (N,) or (S, N)
        The low-pass filter, N even; ``pywt.Wavelet(name).rec_lo``. Of S filters each transforms
        all the signals, and the bands have S as their first axis.
    levels : int
        How often the approximation is split again.
    boundary : {"periodic", "symmetric", "zero"}
        How signals go on beyond their ends.

    Returns
    -------
    list of Tensor
        [approximation J, detail J, ..., detail 1], each (n, C, length of the band), or
        (S, n, C, length).

    Raises
    ------
    InvalidInput
        If the filter has an odd number of taps, or the boundary is not known.
    """
    return _transform(x, h, levels, boundary)


def attributions(
    gradient: Tensor, h: Tensor, levels: int, boundary: Boundary = "periodic"
) -> list[Tensor]:
    """The gradient by coefficient, from the gradient by sample: the transpose of `synthesis`.

    With x = T^-1(s) + r, the derivative of f by the coefficients s is (T^-1)' grad f(x): the TRIM
    attribution (Singh et al. 2020), with no call of f. Shapes are those of `analysis`, which it
    equals where that is an orthogonal matrix: periodic and of even length at each level.

    Parameters
    ----------
    gradient : Tensor of shape (n, C, L)
        The gradient by sample.
    h : Tensor of shape (N,) or (S, N)
        The low-pass filter, or several.
    levels : int
        Number of levels.
    boundary : str
        How signals go on beyond their ends.
    """
    return _transform(gradient, h, levels, _transposed(boundary))


def synthesis(
    coefficients: Sequence[Tensor], h: Tensor, length: int, boundary: Boundary = "periodic"
) -> Tensor:
    """The signals (n, C, length) whose transform is ``coefficients``: the inverse of `analysis`.

    Parameters
    ----------
    coefficients : sequence of Tensor
        The bands, in the order of `analysis`.
    h : Tensor of shape (N,)
        The low-pass filter.
    length : int
        Length of the signals.
    boundary : str
        How signals go on beyond their ends.
    """
    filters = _pair(h, boundary)
    x, *details = coefficients
    at = _lengths(length, len(h), len(details), boundary)
    for detail, wanted in zip(details, at[-2::-1], strict=True):
        x = _join(x, detail, filters, wanted, boundary)
    return x


def analysis2(x: Tensor, h: Tensor, levels: int, boundary: Boundary = "periodic") -> Image:
    """The separable wavelet transform of images (n, C, H, W), in the order of ``pywt.wavedec2``.

    Parameters
    ----------
    x : Tensor of shape (n, C, H, W)
        The images.
    h : Tensor of shape (N,) or (S, N)
        The low-pass filter, or several.
    levels : int
        Number of levels.
    boundary : str
        How images go on beyond their edges.

    Returns
    -------
    list
        [approximation J, (horizontal, vertical, diagonal) J, ..., (...) 1]. The horizontal band
        is the detail down the columns of the picture and the average along its rows.
    """
    return _transform2(x, h, levels, boundary)


def attributions2(
    gradient: Tensor, h: Tensor, levels: int, boundary: Boundary = "periodic"
) -> Image:
    """The gradient by coefficient of images: the transpose of `synthesis2`; see `attributions`.

    Parameters
    ----------
    gradient : Tensor of shape (n, C, H, W)
        The gradient by pixel.
    h : Tensor of shape (N,) or (S, N)
        The low-pass filter, or several.
    levels : int
        Number of levels.
    boundary : str
        How images go on beyond their edges.
    """
    return _transform2(gradient, h, levels, _transposed(boundary))


def synthesis2(
    coefficients: Image, h: Tensor, shape: tuple[int, int], boundary: Boundary = "periodic"
) -> Tensor:
    """The images (n, C, *shape) whose transform is ``coefficients``: the inverse of `analysis2`.

    Parameters
    ----------
    coefficients : list
        The bands, in the order of `analysis2`.
    h : Tensor of shape (N,)
        The low-pass filter.
    shape : tuple of int
        Height and width of the images.
    boundary : str
        How images go on beyond their edges.
    """
    filters = _pair(h, boundary)
    x, *details = coefficients
    tall, wide = (_lengths(side, len(h), len(details), boundary)[-2::-1] for side in shape)
    for detail, height, width in zip(details, tall, wide, strict=True):
        horizontal, vertical, diagonal = (band.mT for band in detail)
        low = _join(x.mT, horizontal, filters, height, boundary).mT  # type: ignore[union-attr]
        high = _join(vertical, diagonal, filters, height, boundary).mT
        x = _join(low, high, filters, width, boundary)
    return x  # type: ignore[return-value]


def _transform(x: Tensor, h: Tensor, levels: int, boundary: _Extension) -> list[Tensor]:
    filters = _pair(h, boundary)
    x = x if h.ndim == 1 else x.expand(len(h), *x.shape)
    details = []
    for _ in range(levels):
        x, detail = _split(x, filters, boundary)
        details.append(detail)
    return [x, *details[::-1]]


def _transform2(x: Tensor, h: Tensor, levels: int, boundary: _Extension) -> Image:
    filters = _pair(h, boundary)
    x = x if h.ndim == 1 else x.expand(len(h), *x.shape)
    details: list[tuple[Tensor, Tensor, Tensor]] = []
    for _ in range(levels):
        low, high = _split(x, filters, boundary)
        average, horizontal = _split(low.mT, filters, boundary)
        vertical, diagonal = _split(high.mT, filters, boundary)
        x = average.mT
        details.append((horizontal.mT, vertical.mT, diagonal.mT))
    return [x, *details[::-1]]


def _transposed(boundary: Boundary) -> _Extension:
    """How a gradient goes on beyond its ends: synthesis crops, so its transpose pads with zeros."""
    return "periodic, zero to even" if boundary == "periodic" else "zero"


def _pair(h: Tensor, boundary: str) -> Tensor:
    """Low-pass and high-pass filters, (2, N) or (S, 2, N)."""
    if h.ndim not in (1, 2) or h.shape[-1] < 2 or h.shape[-1] % 2:
        raise InvalidInput(
            f"The filter has shape {tuple(h.shape)}.", "Give one row of an even number of taps."
        )
    if boundary not in get_args(_Extension):
        check_boundary(boundary)
    return torch.stack([h, high_pass(h)], -2)


def _lengths(length: int, taps: int, levels: int, boundary: Boundary) -> tuple[int, ...]:
    """Lengths of the signal and of its approximation at levels 1 to J."""
    at = [length]
    for _ in range(levels):
        at.append((at[-1] + (1 if boundary == "periodic" else taps - 1)) // 2)
    return tuple(at)


def _split(x: Tensor, filters: Tensor, boundary: _Extension) -> tuple[Tensor, Tensor]:
    """Average and detail of x (..., L): correlation with each filter at every second place."""
    taps = filters.shape[-1]
    y = _extended(x, taps, boundary)
    if filters.ndim == 2:
        out = functional.conv1d(y.reshape(-1, 1, y.shape[-1]), filters[:, None], stride=2)
        low, high = out.unbind(1)
    else:  # twice as fast as a grouped convolution where the filters are many and the signals few
        places = y.unfold(-1, taps, 2)  # (S, ..., L / 2, N)
        low, high = (places.reshape(len(x), -1, taps) @ filters.mT).unbind(-1)
    return low.reshape(*x.shape[:-1], -1), high.reshape(*x.shape[:-1], -1)


def _extended(x: Tensor, taps: int, boundary: _Extension) -> Tensor:
    """X beyond its ends, so that every second place of it starts one coefficient."""
    length = x.shape[-1]
    if boundary == "zero":
        return functional.pad(x, (taps - 2, taps - 2 + length % 2))
    if boundary == "symmetric":  # d c b a | a b c d | d c b a
        at = torch.arange(2 - taps, length + taps - 2 + length % 2, device=x.device) % (2 * length)
        return x[..., torch.where(at < length, at, 2 * length - 1 - at)]
    if length % 2:  # PyWavelets repeats the last value
        last = x[..., -1:]
        x = torch.cat([x, last if boundary == "periodic" else torch.zeros_like(last)], -1)
        length += 1
    side = taps // 2 - 1
    if side <= length:
        return torch.cat([x[..., length - side :], x, x[..., :side]], -1)
    return x[..., torch.arange(-side, length + side, device=x.device) % length]


def _join(low: Tensor, high: Tensor, filters: Tensor, length: int, boundary: Boundary) -> Tensor:
    """The signal (..., length) of which `_split` gives ``low`` and ``high``."""
    taps, half = filters.shape[-1], high.shape[-1]
    both = torch.stack([low.reshape(-1, half), high.reshape(-1, half)], 1)
    y = functional.conv_transpose1d(both, filters[:, None], stride=2)  # 2 half + taps - 2 long
    if boundary == "periodic":
        at = torch.arange(1 - taps // 2, 2 * half + taps // 2 - 1, device=y.device) % (2 * half)
        folded = y.new_zeros(len(y), 1, 2 * half)
        y = folded.index_add(-1, at, y)
    else:
        y = y[..., taps - 2 :]
    return y[..., :length].reshape(*high.shape[:-1], length)
