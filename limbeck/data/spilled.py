"""Records that are too many for memory, parted on disk into 256 buckets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Spilled"]

_BUCKETS = 256


class Spilled:
    """Records of one kind, written batch by batch, and read bucket by bucket.

    Each batch is written sorted by bucket, with a note of where each bucket starts: one file, and
    writing goes straight on.

    Parameters
    ----------
    path : Path
        The file, which does not exist yet; whoever gives it removes it.
    dtype : dtype
        Of a record.
    """

    def __init__(self, path: Path, dtype: np.dtype[Any]) -> None:
        self._path, self._dtype = path, dtype
        self._starts: list[NDArray[np.int64]] = []
        self._written = 0
        path.touch()

    def add(self, records: NDArray[Any], bucket: NDArray[np.uint8]) -> None:
        """Write a batch of records (b,), each into its bucket from 0 to 255.

        Parameters
        ----------
        records : ndarray of shape (b,)
            The records.
        bucket : ndarray of shape (b,), uint8
            The bucket of each.
        """
        order = np.argsort(bucket, kind="stable")
        with self._path.open("ab") as file:
            file.write(np.ascontiguousarray(records[order], dtype=self._dtype).tobytes())
        sizes = np.bincount(bucket, minlength=_BUCKETS)
        self._starts.append(self._written + np.concatenate([[0], np.cumsum(sizes)]))
        self._written += len(records)

    def __getitem__(self, bucket: int) -> NDArray[Any]:
        size, parts = self._dtype.itemsize, []
        with self._path.open("rb") as file:
            for starts in self._starts:
                file.seek(int(starts[bucket]) * size)
                parts.append(file.read(int(starts[bucket + 1] - starts[bucket]) * size))
        return np.frombuffer(b"".join(parts), dtype=self._dtype)

    def __iter__(self) -> Iterator[NDArray[Any]]:
        return (self[bucket] for bucket in range(_BUCKETS))
