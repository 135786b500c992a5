"""The path over the weights of sparsity and TRIM, each point started from the one before.

Ha et al. (2021), section 4, sweep the weights with warm starts. With rows of unit length the loss
depends on the ratio of the two weights alone, so the path is a line. The first and the last point
are searched from many starts; those between descend from their neighbour's best filters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from limbeck.core.pieces import piece
from limbeck.core.progress import Progress, quiet
from limbeck.signal.wavelets.loss import WaveletLoss, coefficients
from limbeck.signal.wavelets.penalty import Penalty
from limbeck.signal.wavelets.search import FilterSearch, Found

__all__ = ["PathPoint", "follow", "follow_penalty", "kept_share", "points_of"]

_ENERGY = 0.99
_GAIN = 1e-3


@dataclass(frozen=True)
class PathPoint:
    """One pair of weights and the filter found for it.

    Parameters
    ----------
    sparsity, trim : float
        The weights.
    found : Found
        The filter.
    before : float or None
        The loss of the first named filter.
    signals, attributions : float or None
        The two parts of the loss, S and T of :mod:`limbeck.signal.wavelets.loss`; None for no rows.
    kept : float or None
        The share of the coefficients that hold 99% of the energy of the signals.
    explained : bool
        Whether the attributions are at their floor, within 1%.
    """

    sparsity: float
    trim: float
    found: Found
    before: float | None
    signals: float | None
    attributions: float | None
    kept: float | None
    explained: bool = False

    @property
    def success(self) -> bool | None:
        """Whether the search succeeded.

        True where the loss, or that of the attributions, is at its floor, so that no filter is
        better; False where the filter is no better than the one that was named; None where it is
        better and nothing more is proved.
        """
        if self.found.arrived or (self.trim and self.explained):
            return True
        worse = self.before is not None and self.found.loss >= self.before * (1 - _GAIN)
        return False if worse else None


def points_of(
    sparsity: float | Sequence[float], trim: float | Sequence[float]
) -> tuple[tuple[float, float], ...]:
    """Pairs of weights with different ratios, from sparsity alone to TRIM alone.

    Parameters
    ----------
    sparsity, trim : float or sequence of float
        Weights of the two parts of the loss; all pairs are taken.

    Examples
    --------
    >>> points_of(1.0, (0.0, 1.0, 3.0))
    ((1.0, 0.0), (1.0, 1.0), (1.0, 3.0))
    """
    pairs: dict[float, tuple[float, float]] = {}
    for s in np.atleast_1d(np.asarray(sparsity, np.float64)):
        for t in np.atleast_1d(np.asarray(trim, np.float64)):
            if s + t > 0:
                pairs.setdefault(round(float(t / (s + t)), 12), (float(s), float(t)))
    return tuple(pairs[ratio] for ratio in sorted(pairs))


def follow(
    loss: WaveletLoss,
    weights: Sequence[tuple[float, float]],
    search: FilterSearch,
    rng: np.random.Generator,
    named: Sequence[NDArray[np.float64]] = (),
    progress: Progress = quiet,
) -> Iterator[PathPoint]:
    """The points one by one, so that whoever stops keeps those that are done.

    Parameters
    ----------
    loss : WaveletLoss
        The rows and the transform; its own weights are replaced.
    weights : sequence of (sparsity, trim)
        See `points_of`.
    search : FilterSearch
        Settings of the search.
    rng : numpy.random.Generator
        Where random angles come from.
    named : sequence of ndarray
        Filters to start from as well.
    progress : Progress
        Called with the stage, what is done, and the total.
    """
    found: Found | None = None
    for i, (sparsity, trim) in enumerate(weights):
        here = replace(loss, sparsity=sparsity, trim=trim)
        last = i == len(weights) - 1
        if found is None or last:
            warm = () if found is None else (found.low,)
            starts = [*named, *warm]
            make = partial(search.run, here, rng, starts, progress)
        else:
            progress("path of weights", i, len(weights))
            starts = [found.low, *found.others]
            make = partial(search.refine, here, starts, rng)
        found = _kept(here, rng, starts, search, make)
        before = float(here(torch.from_numpy(named[0])[None])[0]) if named else None
        yield PathPoint(sparsity, trim, found, before, *_parts(loss, found.low))


def _kept(
    loss: WaveletLoss,
    rng: np.random.Generator,
    starts: Sequence[NDArray[np.float64]],
    search: FilterSearch,
    make: Callable[[], Found],
) -> Found:
    """A point of the path as a piece of work: what was found is kept, and read by the next run."""

    def made_from() -> list[Any]:
        rows = [
            [None if t is None else t.numpy() for t in (r.unit, r.weights, r.partners)]
            for r in (loss.signals, loss.gradients)
        ]
        settings = [loss.levels, loss.boundary, loss.sparsity, loss.trim, repr(search)]
        return [rows, settings, list(starts)]

    return piece("wavelet", made_from, make, write=asdict, read=lambda d: Found(**d), rng=rng)


def follow_penalty(
    loss: WaveletLoss,
    weights: Sequence[tuple[float, float]],
    penalty: Penalty,
    x: NDArray[np.floating],
    gradients: NDArray[np.floating],
    start: NDArray[np.float64],
    rng: np.random.Generator,
    progress: Progress = quiet,
) -> Iterator[PathPoint]:
    """The same path by the authors' form, each point from the taps of the one before.

    The weights are lambda and gamma of :mod:`limbeck.signal.wavelets.penalty` as they are. The
    losses told are those of :mod:`limbeck.signal.wavelets.loss`, which a leaking filter can lower
    by itself.

    Parameters
    ----------
    loss : WaveletLoss
        The rows and the transform; its own weights are replaced.
    weights : sequence of (sparsity, trim)
        See `points_of`.
    penalty : Penalty
        Settings of the descent.
    x, gradients : ndarray of shape (n, C, L) or (n, C, H, W)
        Signals and the network's gradients at them.
    start : ndarray of shape (N,)
        The filter to start from.
    rng : numpy Generator
        Orders the rows.
    progress : Progress
        Called with the stage, what is done, and the total.
    """
    low = start
    for sparsity, trim in weights:
        descent, begin = replace(penalty, sparsity=sparsity, trim=trim), low
        low = piece(
            "penalty", lambda: [repr(descent), x, gradients, begin],  # noqa: B023
            lambda: descent.run(x, gradients, begin, rng, progress), rng=rng,  # noqa: B023
        )  # fmt: skip
        here = replace(loss, sparsity=sparsity, trim=trim)
        before, value = here(torch.from_numpy(np.stack([start, low]))).tolist()
        found = Found(low, value, False, float("nan"), 1, 1)
        yield PathPoint(sparsity, trim, found, before, *_parts(loss, low))


def _parts(
    loss: WaveletLoss, low: NDArray[np.float64]
) -> tuple[float | None, float | None, float | None, bool]:
    h = torch.from_numpy(low)[None]
    signals = attributions = kept = None
    explained = False
    if len(loss.signals):
        signals = float(replace(loss, sparsity=1.0, trim=0.0)(h)[0])
        kept = kept_share(loss, low)
    if len(loss.gradients):
        read = replace(loss, sparsity=0.0, trim=1.0)
        attributions = float(read(h)[0])
        explained = attributions < 1.01 * read.floor
    return signals, attributions, kept, explained


def kept_share(loss: WaveletLoss, low: NDArray[np.float64]) -> float:
    """The share of the coefficients, over at most 1024 signals, that hold 99% of the energy.

    Parameters
    ----------
    loss : WaveletLoss
        The rows and the transform.
    low : ndarray of shape (N,)
        The low-pass filter.
    """
    rows = loss.signals.unit[:1024]
    c = coefficients(rows, torch.from_numpy(low), loss.levels, loss.boundary)
    energy = (loss.signals.weights[: len(rows), None] * c).flatten().square().sort(descending=True)
    total = energy.values.cumsum(0)
    return float((total < _ENERGY * total[-1]).double().mean())
