"""The strongest coefficients of each band, as features."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from limbeck.signal.bands import Band

__all__ = ["KEEPS", "Keep", "Strongest", "groups_of"]

Keep = Literal["size", "value", "place"]
KEEPS: tuple[Keep, ...] = get_args(Keep)
Matrix = NDArray[np.float64]


def groups_of(bands: Sequence[Band]) -> tuple[slice, ...]:
    """Where the coefficients of each channel of each band are, band by band."""
    out = []
    for band in bands:
        own = (band.stop - band.start) // band.shape[0]
        out += [slice(s, s + own) for s in range(band.start, band.stop, own)]
    return tuple(out)


@dataclass(frozen=True, eq=False)
class Strongest:
    """The ``largest`` strongest coefficients of each channel of each band.

    ``keep="size"`` takes, in each signal anew, the largest magnitudes in falling order, and
    ``"value"`` the largest values: neither depends on where in the signal they are.
    ``"place"`` takes the same places in all signals: those whose coefficients vary the most.

    Parameters
    ----------
    groups : tuple of slice
        The coefficients among which the strongest are sought; see :func:`groups_of`.
    keep : {"size", "value", "place"}
        What strongest means.
    largest : int
        How many of each group; of smaller groups all.
    spread : ndarray of shape (m,)
        The standard deviation of each coefficient over the rows that are learned from.
    """

    groups: tuple[slice, ...]
    keep: Keep
    largest: int
    spread: Matrix

    @property
    def counts(self) -> tuple[int, ...]:
        """The number of features of each group."""
        return tuple(min(self.largest, g.stop - g.start) for g in self.groups)

    @property
    def ranks(self) -> NDArray[np.int64]:
        """For each feature how many of its group come before it, shape (p,)."""
        return np.concatenate([np.arange(c) for c in self.counts])

    @property
    def places(self) -> NDArray[np.int64]:
        """The coefficients that ``keep="place"`` takes, in the order of the features, (p,)."""
        return np.concatenate(list(self._places()))

    def features(self, S: Matrix) -> Matrix:
        """Features of shape (n, p) of coefficients of shape (n, m)."""
        if self.keep == "place":
            return S[:, self.places]
        falling = np.negative(np.abs(S) if self.keep == "size" else S)
        for g in self.groups:
            falling[:, g].sort(axis=1)
        first = [
            falling[:, g.start : g.start + c] for g, c in zip(self.groups, self.counts, strict=True)
        ]
        out = np.concatenate(first, axis=1)
        return np.asarray(-out)

    def kept(self, S: Matrix) -> Matrix:
        """The coefficients of shape (n, m) with all but the strongest set to 0."""
        out = np.zeros_like(S)
        if self.keep == "place":
            out[:, self.places] = S[:, self.places]
            return out
        for g, count in zip(self.groups, self.counts, strict=True):
            own = np.abs(S[:, g]) if self.keep == "size" else S[:, g]
            at = np.argsort(-own, axis=1, kind="stable")[:, :count] + g.start
            np.put_along_axis(out, at, np.take_along_axis(S, at, axis=1), axis=1)
        return out

    def _places(self) -> Iterator[NDArray[np.int64]]:
        for g, count in zip(self.groups, self.counts, strict=True):
            order = np.argsort(-self.spread[g], kind="stable")[:count]
            yield (order + g.start).astype(np.int64)
