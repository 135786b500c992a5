"""From signals and gradients to wavelets, in either form."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from limbeck.core.progress import Progress
from limbeck.signal.filters import Boundary
from limbeck.signal.wavelets.loss import WaveletLoss, WaveletRows
from limbeck.signal.wavelets.path import PathPoint, follow, follow_penalty, points_of
from limbeck.signal.wavelets.penalty import Penalty
from limbeck.signal.wavelets.search import FilterSearch

__all__ = ["Learning"]


@dataclass(frozen=True)
class Learning:
    """How a wavelet is learned; see :class:`limbeck.methods.adaptive_wavelets.AdaptiveWavelets`.

    Parameters
    ----------
    levels, boundary
        The transform.
    sparsity, trim : float or sequence of float
        Weights of the path.
    input_x_gradient : bool
        What TRIM measures.
    starts, moments : int
        Settings of the search over angles.
    epochs : int or None
        Epochs of the penalty form, or None for angles.
    """

    levels: int
    boundary: Boundary
    sparsity: float | Sequence[float]
    trim: float | Sequence[float]
    input_x_gradient: bool
    starts: int
    moments: int
    epochs: int | None = None

    def run(
        self,
        x: NDArray[np.float64],
        gradients: NDArray[np.float64],
        start: NDArray[np.float64],
        rng: np.random.Generator,
        progress: Progress,
    ) -> Iterator[PathPoint]:
        """The points of the path; none where its weights ask for nothing that there is.

        Parameters
        ----------
        x, gradients : ndarray of shape (m, C, L) or (m, C, H, W)
            Signals and the network's gradients at them; where these are all zero, TRIM has no
            weight.
        start : ndarray of shape (N,)
            The filter to start from.
        rng : numpy Generator
            All randomness comes from it.
        progress : Progress
            Called with the stage, what is done, and the total.
        """
        weights = points_of(self.sparsity, self.trim if gradients.any() else 0.0)
        if not weights:
            return
        read = WaveletRows.of(gradients, x if self.input_x_gradient else None)
        loss = WaveletLoss(WaveletRows.of(x), read, self.levels, self.boundary, *weights[0])
        if self.epochs is None:
            search = FilterSearch(len(start), self.starts, moments=self.moments)
            yield from follow(loss, weights, search, rng, [start], progress)
            return
        penalty = Penalty(
            self.levels,
            self.boundary,
            input_x_gradient=self.input_x_gradient,
            epochs=self.epochs,
        )
        yield from follow_penalty(loss, weights, penalty, x, gradients, start, rng, progress)
