"""Orthogonal filters as rotation angles: the lattice of Vaidyanathan and Hoang (1988).

A two-channel orthogonal filter bank with filters of length 2L is a product of L rotations and
delays. With c = cos, s = sin of angle k, the low-pass h and the high-pass g grow by

    h <- c (h, 0, 0) + s (0, 0, g),    g <- -s (h, 0, 0) + c (0, 0, g),

from h = (c, s), g = (-s, c). Any angles give ||h|| = 1 and sum_i h_i h_{i-2j} = 0, to machine
precision; the taps sum to sqrt 2 exactly where the angles sum to pi/4. So L - 1 angles are free,
and no penalty is needed. (g here is minus the alternating flip of h.)

Vaidyanathan, Hoang, Lattice structures for optimal design and robust implementation of two-channel
perfect-reconstruction QMF banks, IEEE Trans. ASSP 36 (1988), equation 20.
"""

from __future__ import annotations

from math import pi

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from limbeck.core.errors import InvalidInput
from limbeck.signal.filters import filter_of, filters_of

__all__ = [
    "angles_from_filter",
    "complete",
    "filter_from_angles",
    "moments",
    "random_filter",
    "with_moments",
]

_CLOSE = 1e-6  # published taps of the longer families are good to 1e-8 or so


def complete(free: Tensor) -> Tensor:
    """All angles (..., L) from the free ones (..., L - 1): the last makes the sum pi/4."""
    return torch.cat([free, pi / 4 - free.sum(-1, keepdim=True)], -1)


def filter_from_angles(angles: Tensor) -> Tensor:
    """The low-pass filters (..., 2L) of angles (..., L), differentiable and for many at once.

    Examples
    --------
    >>> filter_from_angles(torch.tensor([torch.pi / 4]))  # haar
    tensor([0.7071, 0.7071])
    """
    c, s = angles.cos()[..., None], angles.sin()[..., None]  # (..., L, 1)
    h = torch.cat([c[..., 0, :], s[..., 0, :]], -1)
    g = torch.cat([-s[..., 0, :], c[..., 0, :]], -1)
    for k in range(1, angles.shape[-1]):
        low = torch.nn.functional.pad(h, (0, 2))
        high = torch.nn.functional.pad(g, (2, 0))
        ck, sk = c[..., k, :], s[..., k, :]
        h, g = ck * low + sk * high, ck * high - sk * low
    return h


def angles_from_filter(h: NDArray[np.float64] | Tensor) -> NDArray[np.float64]:
    """The L angles, each in (-pi, pi], of an orthogonal low-pass filter of length 2L.

    The rotations are peeled off one by one: the last makes the two outer taps vanish. The filter is
    taken with the sign that makes its sum positive.

    Parameters
    ----------
    h : array of shape (2L,)
        An orthogonal filter whose taps sum to sqrt 2, such as ``pywt.Wavelet("db5").rec_lo``.

    Raises
    ------
    InvalidInput
        If the number of taps is odd, or the filter is not orthogonal to 1e-6.
    """
    h = filter_of(h)
    h = h if h.sum() >= 0 else -h
    g = -filters_of(h).high
    shifts = np.correlate(h, h, "full")[len(h) - 1 :: 2]
    off = max(np.abs(shifts - (np.arange(len(shifts)) == 0)).max(), abs(h.sum() - np.sqrt(2)))
    if off > _CLOSE:
        raise InvalidInput(
            f"The filter is not orthogonal with sum sqrt 2: it is off by {off:.2g}.",
            "Give the rec_lo of an orthogonal wavelet, such as haar, dbN, symN or coifN.",
        )
    peeled = []
    while len(h) > 2:
        ends = np.stack([h[-2:], g[-2:]])  # both proportional to one pair: (sin, cos) times it
        at = int(np.abs(ends).sum(0).argmax())
        angle = np.arctan2(ends[0, at], ends[1, at])
        angle = angle - pi * round(angle / pi)  # the same rotation up to the sign of both filters
        c, s = np.cos(angle), np.sin(angle)
        h, g = (c * h - s * g)[:-2], (s * h + c * g)[2:]
        peeled.append(angle)
    peeled.append(np.arctan2(h[1], h[0]))
    angles = np.array(peeled[::-1])
    wrapped: NDArray[np.float64] = pi - (pi - angles) % (2 * pi)
    return wrapped


def random_filter(taps: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """An orthogonal filter (taps,) with uniform free angles; its taps sum to sqrt 2.

    Parameters
    ----------
    taps : int
        Length of the filter, even.
    rng : numpy Generator
        Draws the angles.
    """
    free = torch.from_numpy(rng.uniform(-pi, pi, taps // 2 - 1))
    return filter_from_angles(complete(free)).numpy()


def moments(h: Tensor, count: int) -> Tensor:
    """Moments 1 to count - 1 of the high-pass filter, shape (..., count - 1).

    sum_k (-1)^k t_k^m h_k with places t_k from -1 to 1; all are zero where polynomials of degree
    below ``count`` leave no detail (vanishing moments: Daubechies 1992). Moment 0 is zero
    whenever the taps sum to sqrt 2.

    Parameters
    ----------
    h : Tensor of shape (..., N)
        Low-pass filters.
    count : int
        Number of vanishing moments, moment 0 among them.
    """
    t = torch.linspace(-1, 1, h.shape[-1], dtype=h.dtype)
    signs = 1 - 2 * (torch.arange(len(t)) % 2)
    powers = t ** torch.arange(1, count)[:, None]  # (count - 1, N)
    return (h * signs) @ powers.T


def with_moments(free: Tensor, count: int, steps: int = 50) -> Tensor:
    """Free angles (S, p) moved to filters near by with ``count`` vanishing moments.

    Gauss-Newton steps of least norm onto the moment equations; the filters stay orthogonal at
    every step, for it is angles that move. Those that do not arrive within 1e-10 are left out.

    Parameters
    ----------
    free : Tensor of shape (S, p)
        Free angles.
    count : int
        Number of vanishing moments.
    steps : int
        Most steps.

    Raises
    ------
    InvalidInput
        If there are more moments than the filters can have.
    """
    if count > free.shape[-1] + 1:
        raise InvalidInput(
            f"moments is {count} for a filter of {2 * free.shape[-1] + 2} taps.",
            f"Give at most {free.shape[-1] + 1}.",
        )

    def equations(p: Tensor) -> Tensor:
        return moments(filter_from_angles(complete(p)), count)

    slopes = torch.func.vmap(torch.func.jacrev(equations))
    for _ in range(steps):
        free = free - (torch.linalg.pinv(slopes(free)) @ equations(free)[..., None]).squeeze(-1)
    return free[(equations(free).abs() < 1e-10).all(-1)]
