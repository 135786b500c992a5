"""Rows of several arrays in one folder, appended by batches, read through the page cache.

``cache.json`` says what is there and how many rows are complete; it is written whole, after the
rows are on disk. Each array is a ``.npy`` file of its full shape, written from its first row on.
A killed or failed run leaves complete rows and perhaps some beyond; these are cut off when the
work goes on. Nothing is pickled.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from limbeck.errors import FileRefused
from limbeck.records import write_json

__all__ = ["Array", "CacheFile", "locked"]

_FORMAT = "limbeck teacher cache"
_VERSION = 1
_SETTLED = 1.0  # seconds between two entries of the number of complete rows


@dataclass(frozen=True)
class Array:
    """One array: the shape of a row, and the dtype."""

    shape: tuple[int, ...]
    dtype: str

    @property
    def row_bytes(self) -> int:
        """Bytes of one row."""
        return int(np.prod(self.shape, dtype=np.int64)) * np.dtype(self.dtype).itemsize


class CacheFile:
    """A folder of arrays with the same number of rows.

    Parameters
    ----------
    folder : Path
        Where it is.
    head : mapping
        What the rows depend on, ready for JSON.
    arrays : mapping of Array
        What is stored, by the name of its file.
    rows : int
        How many rows there will be.
    done : int
        How many are complete.
    """

    def __init__(
        self,
        folder: Path,
        head: Mapping[str, Any],
        arrays: Mapping[str, Array],
        rows: int,
        done: int = 0,
    ) -> None:
        self.folder = folder
        self.head = dict(head)
        self.arrays = dict(arrays)
        self.rows = rows
        self.done = done
        self._files: dict[str, IO[bytes]] = {}
        self._settled = time.monotonic()

    @classmethod
    def open(cls, folder: Path) -> CacheFile | None:
        """What is in a folder; None where there is no cache.

        Raises
        ------
        FileRefused
            If ``cache.json`` is damaged or newer, or an array is missing or too short.
        """
        path = folder / "cache.json"
        try:
            data = json.loads(path.read_bytes())
            if data["format"] != _FORMAT:
                raise ValueError(f"it is no {_FORMAT}")
            if data["version"] > _VERSION:
                raise ValueError("it was written by a newer limbeck")
            arrays = {k: Array(tuple(s), d) for k, (s, d) in data["arrays"].items()}
            found = cls(folder, data["head"], arrays, data["rows"], data["done"])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise FileRefused(
                f"{str(path)!r} cannot be read: {error}.", "Remove the folder, and fill it again."
            ) from None
        for name, array in found.arrays.items():
            file = found._path(name)
            have = file.stat().st_size if file.is_file() else 0
            if have < len(found._start(name)) + found.done * array.row_bytes:
                raise FileRefused(
                    f"{str(file)!r} is shorter than {found.done} rows.",
                    "Remove the folder, and fill it again.",
                )
        return found

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays when complete."""
        return sum(len(self._start(n)) + self.rows * a.row_bytes for n, a in self.arrays.items())

    @contextmanager
    def appending(self) -> Iterator[None]:
        """Hold the arrays open for `append`; complete rows are entered also after an error.

        Raises
        ------
        FileRefused
            If there is not enough room, before anything is written, or if writing fails.
        """
        left = sum((self.rows - self.done) * a.row_bytes for a in self.arrays.values())
        free = shutil.disk_usage(self.folder).free
        if left > free:
            raise FileRefused(
                f"{str(self.folder)!r} needs {left:,} more bytes, and {free:,} are free.",
                "Store less (top=32, dtype='float16'), or choose another folder.",
            )
        try:
            for name, array in self.arrays.items():
                self._files[name] = self._opened(name, array)
            self._settle()
        except OSError as error:
            self._close()
            raise self._refused(error) from None
        try:
            yield
        finally:
            with suppress(OSError, FileRefused):  # what was entered before stays true
                self._settle()
            self._close()

    def append(self, rows: Mapping[str, NDArray[Any]]) -> None:
        """Add rows to every array.

        Raises
        ------
        FileRefused
            If the disk is full; the complete rows stay, and the work can go on later.
        """
        try:
            for name, array in self.arrays.items():
                block = np.ascontiguousarray(rows[name], dtype=array.dtype)
                left = block.reshape(-1).view(np.uint8).data
                while left:  # a raw write may take only a part
                    left = left[self._files[name].write(left) :]
        except OSError as error:
            raise self._refused(error) from None
        self.done += len(next(iter(rows.values())))
        if time.monotonic() - self._settled > _SETTLED:
            self._settle()

    def maps(self) -> dict[str, NDArray[Any]]:
        """All arrays, memory-mapped and read only; complete ones."""
        return {
            n: np.asarray(np.load(self._path(n), mmap_mode="r", allow_pickle=False))
            for n in self.arrays
        }

    def part(self, name: str, rows: NDArray[np.int64]) -> NDArray[Any]:
        """Complete rows of an array that may be incomplete."""
        array = self.arrays[name]
        out = np.empty((len(rows), *array.shape), array.dtype)
        with self._path(name).open("rb") as file:
            for place, row in zip(out.reshape(len(rows), -1), rows, strict=True):
                file.seek(len(self._start(name)) + int(row) * array.row_bytes)
                place[:] = np.frombuffer(file.read(array.row_bytes), array.dtype)
        return out

    def remove(self) -> None:
        """Delete the arrays and the header, the header first."""
        for file in (self.folder / "cache.json", *map(self._path, self.arrays)):
            file.unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.npy"

    def _start(self, name: str) -> bytes:
        """The first bytes of a .npy file of the full shape."""
        array = self.arrays[name]
        out = BytesIO()
        np.lib.format.write_array_header_1_0(
            out,
            {
                "shape": (self.rows, *array.shape),
                "fortran_order": False,
                "descr": np.lib.format.dtype_to_descr(np.dtype(array.dtype)),
            },
        )
        return out.getvalue()

    def _opened(self, name: str, array: Array) -> IO[bytes]:
        path, start = self._path(name), self._start(name)
        if self.done == 0:
            path.write_bytes(start)
        file: IO[bytes] = path.open("r+b", buffering=0)
        file.truncate(len(start) + self.done * array.row_bytes)
        file.seek(0, os.SEEK_END)
        return file

    def _close(self) -> None:
        for file in self._files.values():
            file.close()
        self._files.clear()

    def _settle(self) -> None:
        """Enter the number of complete rows, once they are on disk."""
        for file in self._files.values():
            os.fsync(file.fileno())
        data = {
            "format": _FORMAT,
            "version": _VERSION,
            "head": self.head,
            "arrays": {k: [a.shape, a.dtype] for k, a in self.arrays.items()},
            "rows": self.rows,
            "done": self.done,
        }
        write_json(data, self.folder / "cache.json")
        self._settled = time.monotonic()

    def _refused(self, error: OSError) -> FileRefused:
        left = sum((self.rows - self.done) * a.row_bytes for a in self.arrays.values())
        return FileRefused(
            f"{str(self.folder)!r} cannot be written: {error.strerror or error}."
            f" {self.done:,} of {self.rows:,} rows are complete and stay.",
            f"Make room for {left:,} bytes and fill it again: it goes on where it stopped.",
        )


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Wait until no other process fills this folder; a killed process holds no lock."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / "lock").open("wb")
    except OSError as error:
        raise FileRefused(
            f"{str(folder)!r} cannot be used: {error.strerror or error}.", "Choose another folder."
        ) from None
    with file:
        try:
            import fcntl
        except ImportError:  # Windows: fill from one process only
            yield
            return
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
