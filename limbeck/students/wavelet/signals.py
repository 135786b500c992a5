"""Signals as rows, and their wavelet coefficients block by block; n rows of d numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Features, Rows
from limbeck.core.errors import InvalidInput
from limbeck.signal.bands import Decomposition
from limbeck.students.wavelet.strongest import Strongest

__all__ = ["TransformedSignals", "flat_signals"]

Matrix = NDArray[np.float64]
Blocks = Iterator[tuple[slice, Matrix]]


def flat_signals(X: Any) -> tuple[Any, tuple[int, ...]]:
    """Signals as rows (n, d), tables as they are; and the shape of one."""
    if isinstance(X, Rows):
        return X, X.features.shape or (len(X.features),)
    if hasattr(X, "columns") or hasattr(X, "toarray"):
        return X, (X.shape[1],)
    if hasattr(X, "detach"):
        X = X.detach().cpu().numpy()
    array = np.asarray(X)
    flat = array.reshape(len(array), -1) if array.ndim > 2 else array
    return flat, tuple(int(side) for side in array.shape[1:])


@dataclass(frozen=True, eq=False)
class TransformedSignals:
    """Rows and the transform of them; nothing but a block is in memory.

    Parameters
    ----------
    rows : table of n rows
        The signals.
    features : Features
        Their d columns.
    transform : Decomposition
        Of m coefficients.
    """

    rows: Any
    features: Features
    transform: Decomposition

    def present(self) -> Blocks:
        """Where each block of rows stands, and the block.

        Raises
        ------
        InvalidInput
            If a signal holds NaN.
        """
        start = 0
        for block in self.features.blocks(self.rows):
            if np.isnan(block.sum()):
                row, column = np.argwhere(np.isnan(block))[0]
                raise InvalidInput(
                    f"Signal {start + int(row)} holds a missing value (NaN) at position"
                    f" {int(column)}.",
                    "Fill gaps, for example by interpolation, or drop such signals.",
                )
            yield slice(start, start + len(block)), block
            start += len(block)

    def blocks(self) -> Blocks:
        """Where each block of rows stands, and its coefficients (b, m); as `present` else."""
        for at, block in self.present():
            yield at, self.transform.forward(block)

    def features_of(self, strongest: Strongest, places: NDArray[np.int64]) -> Matrix:
        """The strongest coefficients of some rows.

        Parameters
        ----------
        strongest : Strongest
            Which.
        places : ndarray of int
            Positions of the rows, in order.
        """
        found = []
        for rows, S in self.blocks():
            own = places[np.searchsorted(places, rows.start) : np.searchsorted(places, rows.stop)]
            found.append(strongest.features(S[own - rows.start]))
        return np.concatenate(found)

    def spread(self, weight: Matrix) -> Matrix:
        """Standard deviations of the coefficients, (m,), for weights (n,) of the rows."""
        total, first, second, shift = float(weight.sum()), 0.0, 0.0, None
        for at, S in self.blocks():
            shift = S.mean(axis=0) if shift is None else shift
            first = first + weight[at] @ (S - shift)
            second = second + weight[at] @ (S - shift) ** 2
        return np.asarray(np.sqrt(np.maximum(second / total - (first / total) ** 2, 0.0)))
