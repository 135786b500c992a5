"""Records that are too many for memory, parted on disk into 256 buckets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

__all__ = ["Spilled"]

_BUCKETS = 256
_TOGETHER = 1 << 16  # records that are written at once


class Spilled:
    """Records of one kind, written batch by batch, and read bucket by bucket.

    Small batches are written together, sorted by bucket, with a note of where each bucket starts:
    one file, writing goes straight on, and few places are read for a bucket.

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
        self._waiting: list[tuple[NDArray[Any], NDArray[np.uint8]]] = []
        self._many = self._written = 0
        path.touch()

    def add(self, records: NDArray[Any], bucket: NDArray[np.uint8]) -> None:
        """Keep a batch of records (b,), each for its bucket from 0 to 255.

        Parameters
        ----------
        records : ndarray of shape (b,)
            The records.
        bucket : ndarray of shape (b,), uint8
            The bucket of each.
        """
        self._waiting.append((np.asarray(records, dtype=self._dtype), bucket))
        self._many += len(records)
        if self._many >= _TOGETHER:
            self._write()

    def _write(self) -> None:
        if not self._waiting:
            return
        records, bucket = map(np.concatenate, zip(*self._waiting, strict=True))
        self._waiting, self._many = [], 0
        order = np.argsort(bucket, kind="stable")
        with self._path.open("ab") as file:
            file.write(records[order].tobytes())
        sizes = np.bincount(bucket, minlength=_BUCKETS)
        self._starts.append(self._written + np.concatenate([[0], np.cumsum(sizes)]))
        self._written += len(records)

    def _read(self, file: BinaryIO, bucket: int) -> NDArray[Any]:
        size, parts = self._dtype.itemsize, []
        for starts in self._starts:
            start, end = starts[bucket : bucket + 2].tolist()
            if end > start:
                file.seek(start * size)
                parts.append(file.read((end - start) * size))
        return np.frombuffer(b"".join(parts), dtype=self._dtype)

    def __iter__(self) -> Iterator[NDArray[Any]]:
        self._write()
        with self._path.open("rb") as file:
            for bucket in range(_BUCKETS):
                yield self._read(file, bucket)
