"""A column of rows on disk as a sequence: what is asked for is read, and nothing is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.language.shards import ShardFolder

__all__ = ["DiskColumn"]


class DiskColumn(Sequence[Any]):
    """One array of each row of a folder of shards, by place.

    Parameters
    ----------
    folder : ShardFolder
        With all rows.
    name : str
        Of the array.
    read : callable
        From an array to the value.
    rows : sequence of int or ndarray of shape (n,), optional
        Some of the rows, in this order; by default all.
    """

    def __init__(
        self,
        folder: ShardFolder,
        name: str,
        read: Callable[[NDArray[Any]], Any],
        rows: Sequence[int] | NDArray[np.int64] | None = None,
    ) -> None:
        self._folder, self._name, self._read = folder, name, read
        self._rows = range(folder.done) if rows is None else rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return tuple(self[i] for i in range(*place.indices(len(self))))
        return self._read(self._folder.row(int(self._rows[place]), (self._name,))[self._name])

    def take(self, rows: Sequence[int] | NDArray[np.int64]) -> DiskColumn:
        """Some of the values, in this order.

        Parameters
        ----------
        rows : sequence of int or ndarray of shape (n,)
            Their places.
        """
        chosen = np.asarray(self._rows, dtype=np.int64)[np.asarray(rows, dtype=np.int64)]
        return DiskColumn(self._folder, self._name, self._read, chosen)
