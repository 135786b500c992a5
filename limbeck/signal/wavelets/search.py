"""Find the orthogonal filter of least loss: many starts, from short filters to long ones.

The loss has many local minima, more with every angle. Short filters have few angles, so the search
climbs a ladder: at 4, 6, 8, ... taps it starts from random angles and from the best filters of the
rung below, lengthened by two zeros and shaken; at the last rung also from named filters. |c| is
smoothed, less and less. All starts of a rung descend side by side on few rows; the best few end on
many rows.

The run says whether it arrived. The loss has a floor (``WaveletLoss.floor``), for saliency reached
only where every row is one coefficient; a filter that reaches it is an answer that no other can
beat. Above the floor global optimality is not proven: the result holds the margin to the next
distinct filter and the number of starts that came to the best.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from limbeck.core.errors import InvalidInput
from limbeck.core.progress import Progress, quiet
from limbeck.signal.wavelets.angles import (
    angles_from_filter,
    complete,
    filter_from_angles,
    moments,
    with_moments,
)
from limbeck.signal.wavelets.loss import WaveletLoss
from limbeck.signal.wavelets.optimizer import descend

__all__ = ["FilterSearch", "Found", "difference"]

_SMOOTH = (0.1, 0.02, 0.001)  # of a row's length
_STEPS = (30, 40, 60)
_SHAKES = (0.03, 0.1, 0.2, 0.3)  # radians
_LAST = 1e-5  # smoothing of the last descent
_FLOOR = 0.01  # above the floor by this share: arrived, and within 0.01 of the answer
_AHEAD = 4  # times the kept: starts that go on after the first descent
_DISTINCT = 0.01
_FEW, _MANY = 1 << 11, 1 << 17  # numbers in all those rows
_FINAL = 4  # filters that end on many rows
_GAIN = 1e-3  # a longer filter must lower the loss by this share


@dataclass(frozen=True)
class Found:
    """A filter and how it was found.

    Parameters
    ----------
    low : ndarray of shape (N,)
        The low-pass filter, ``rec_lo`` of PyWavelets.
    loss : float
        Its loss over all rows.
    arrived : bool
        Whether the loss is at its floor, so that no filter is better.
    margin : float
        Loss of the next distinct filter less this one's, on the rows of the search.
    reached : int
        Starts, of those of the last rung, that came to this filter.
    starts : int
        Starts in all.
    others : tuple of ndarray
        The next distinct filters, best first.
    """

    low: NDArray[np.float64]
    loss: float
    arrived: bool
    margin: float
    reached: int
    starts: int
    others: tuple[NDArray[np.float64], ...] = ()


@dataclass(frozen=True)
class FilterSearch:
    """Settings of the search.

    Parameters
    ----------
    taps : int
        The most taps, even.
    starts : int
        Random starts a rung.
    kept : int
        Distinct filters carried from rung to rung.
    moments : int
        Vanishing moments, 1 or more. More than one are held by a penalty on the way and by
        projection at the end (``with_moments``); the filter is orthogonal throughout.
    few, many : int
        Rows on which starts are compared, and on which the best few end; fewer where rows are
        long, as images are.
    """

    taps: int = 10
    starts: int = 64
    kept: int = 24
    moments: int = 1
    few: int = 16
    many: int = 1024

    def run(
        self,
        loss: WaveletLoss,
        rng: np.random.Generator,
        named: Sequence[NDArray[np.float64]] = (),
        progress: Progress = quiet,
    ) -> Found:
        """Search from short filters to long.

        Parameters
        ----------
        loss : WaveletLoss
            What is to be least.
        rng : numpy.random.Generator
            Where random angles come from.
        named : sequence of ndarray
            Further starts: orthogonal filters of at most ``taps`` taps.
        progress : Progress
            Called with the stage, what is done, and the total.
        """
        few, rungs = self._few(loss, rng), []
        taps, tried = max(2, 2 * self.moments), 0
        free = torch.zeros(0, taps // 2 - 1, dtype=torch.float64)
        while True:
            progress(f"filters of {taps} taps", taps, self.taps)
            drawn = rng.uniform(-math.pi, math.pi, (self.starts if taps > 2 else 1, taps // 2 - 1))
            starts = torch.cat([free, torch.from_numpy(drawn)])
            if taps >= self.taps:
                starts = torch.cat([_angles(_padded(h, taps)) for h in named] + [starts])
            tried += len(starts)
            rungs.append(self._rung(few, starts))
            if taps >= self.taps or self._arrived(loss, rungs[-1]):
                break
            free, taps = self._longer(rungs[-1].free, rng), taps + 2
        return self._ended(loss, rungs, named, tried, rng)

    def _few(self, loss: WaveletLoss, rng: np.random.Generator) -> WaveletLoss:
        return loss.some(min(self.few, max(2, _FEW // loss.length)), rng)

    def _rung(self, few: WaveletLoss, starts: Tensor) -> _Rung:
        """The distinct ends of the starts, best first."""
        free = starts
        for smooth, steps in zip(_SMOOTH, _STEPS, strict=True):
            free, values = descend(self._objective(few, smooth), free, steps)
            if smooth == _SMOOTH[0]:  # most starts are behind for good
                free = free[values.argsort()[: _AHEAD * self.kept]]
        order = values.argsort()
        free, values = free[order], values[order]
        filters, kept = _filters(free), [0]
        for i in range(1, len(free)):
            if len(kept) < self.kept and bool(
                ((filters[kept] - filters[i]).abs().amax(1) > _DISTINCT).all()
            ):
                kept.append(i)
        reached = int(((filters - filters[0]).abs().amax(1) <= _DISTINCT).sum())
        best = filters[0].numpy()
        other = [i for i in kept if difference(filters[i].numpy(), best) > _DISTINCT]
        margin = float(values[other[0]] - values[0]) if other else math.inf
        return _Rung(free[kept], values[kept], reached, margin)

    def _objective(
        self, loss: WaveletLoss, smooth: float
    ) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
        def objective(free: Tensor) -> tuple[Tensor, Tensor]:
            value, slope = loss.descend(free, _filters, smooth)
            if self.moments > 1:
                p = free.detach().requires_grad_()
                off = moments(_filters(p), self.moments).square().sum(-1) / smooth
                value = value + off.detach()
                slope = slope + torch.autograd.grad(off.sum(), p)[0]
            return value, slope

        return objective

    def _longer(self, free: Tensor, rng: np.random.Generator) -> Tensor:
        """Filters with two more taps, of zeros at either end or both, shaken."""
        short = _filters(free).numpy()
        grown = [_angles(np.pad(h, (a, 2 - a))) for h in short for a in (0, 1, 2)]
        return _shaken(torch.cat(grown), rng)

    def _arrived(self, loss: WaveletLoss, rung: _Rung) -> bool:
        near = loss.floor * (1 + _FLOOR)
        return bool(rung.values[0] < near) and bool(loss(_filters(rung.free[:1]))[0] < near)

    def refine(
        self, loss: WaveletLoss, filters: Sequence[NDArray[np.float64]], rng: np.random.Generator
    ) -> Found:
        """Descend from filters of one length, of a loss that differs little: a warm start.

        Parameters
        ----------
        loss : WaveletLoss
            What is to be least.
        filters : sequence of ndarray
            The starts, of one length.
        rng : numpy Generator
            Shakes the starts.
        """
        few = self._few(loss, rng)
        rungs = [self._rung(few, torch.cat([_angles(h) for h in filters]))]
        tried = len(filters)
        if len(filters[0]) < self.taps:  # other weights may want a longer one
            grown = torch.cat([_angles(_padded(h, self.taps)) for h in filters])
            rungs.append(self._rung(few, _shaken(grown, rng)))
            tried += len(_SHAKES) * len(grown)
        return self._ended(loss, rungs, filters[:1], tried, rng)

    def _ended(
        self,
        loss: WaveletLoss,
        rungs: list[_Rung],
        named: Sequence[NDArray[np.float64]],
        tried: int,
        rng: np.random.Generator,
    ) -> Found:
        """The best of the last rung on many rows, or a shorter filter that is as good."""
        many, last = loss.some(min(self.many, max(16, _MANY // loss.length)), rng), rungs[-1]
        free = torch.cat([last.free, *map(_angles, (h for h in named if _taps(last) == len(h)))])
        free = free[many(_filters(free)).argsort()[:_FINAL]]
        for smooth in (_SMOOTH[-1], _LAST):
            free, _ = descend(self._objective(many, smooth), free, _STEPS[-1])
        ends = [rung.free[:1] for rung in rungs[:-1]] + [free]
        if self.moments > 1:
            ends = [with_moments(part, self.moments) for part in ends]
        ends = [part[loss(_filters(part)).argsort()] for part in ends if len(part)]
        if not ends:
            raise InvalidInput(
                f"The search found no filter of {_taps(last)} taps with {self.moments} moments.",
                "Give fewer moments or more taps.",
            )
        losses = torch.stack([loss(_filters(part[:1]))[0] for part in ends])
        at = int((losses <= losses.min() * (1 + _GAIN)).nonzero()[0])
        filters, value = _filters(ends[at]).numpy(), float(losses[at])
        arrived = value < loss.floor * (1 + _FLOOR)
        return Found(
            filters[0], value, arrived, last.margin, last.reached, tried, tuple(filters[1:])
        )


@dataclass(frozen=True)
class _Rung:
    """The distinct filters of one length, best first."""

    free: Tensor  # (kept, taps / 2 - 1)
    values: Tensor  # (kept,)
    reached: int
    margin: float


def difference(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """The least distance ||a - b|| of two filters over sign, reversal and shift.

    Parameters
    ----------
    a, b : ndarray of shape (N,) and (M,)
        The two filters.
    """
    n = len(a) + len(b)
    still = np.pad(b, (len(a), len(a)))
    moved = [
        s * np.pad(w, (k, n + len(a) - len(w) - k))
        for w in (a, a[::-1])
        for s in (1, -1)
        for k in range(n + 1)
    ]
    return float(np.linalg.norm(np.array(moved) - still, axis=1).min())


def _filters(free: Tensor) -> Tensor:
    return filter_from_angles(complete(free))


def _shaken(free: Tensor, rng: np.random.Generator) -> Tensor:
    """The angles moved by a little and by more."""
    noise = (torch.from_numpy(rng.standard_normal(free.shape)) for _ in _SHAKES)
    return torch.cat([free + s * z for s, z in zip(_SHAKES, noise, strict=True)])


def _taps(rung: _Rung) -> int:
    return 2 * rung.free.shape[1] + 2


def _angles(h: NDArray[np.float64]) -> Tensor:
    return torch.from_numpy(angles_from_filter(h))[None, :-1]


def _padded(h: NDArray[np.float64], taps: int) -> NDArray[np.float64]:
    """The filter with zeros at both ends."""
    side = (taps - len(h)) // 2
    return np.pad(h, (side, taps - len(h) - side))
