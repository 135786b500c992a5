"""Rows of several arrays in one folder, appended by batches, read through the page cache.

``cache.json`` says what is there and how many rows are complete; it is written whole, after the
rows are on disk. Each array is a ``.npy`` file of its full shape, written from its first row on,
with the checksums of its blocks in a ``.crc`` file beside it; ``cache.json`` holds a checksum of
these, and one of itself. A killed or failed run leaves complete rows and perhaps some beyond; these
are cut off when the work goes on. Nothing is pickled.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.atomic_io import write_bytes
from limbeck.core.errors import FileRefused
from limbeck.core.strict_json import parse_json, strict_json
from limbeck.networks.cache.checksums import BLOCK, Checked, RunningChecksums

__all__ = ["Array", "CacheFile", "locked"]

_FORMAT = "limbeck teacher cache"
_VERSION = 2  # 2: with checksums
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
        self._sums = {name: RunningChecksums() for name in self.arrays}
        self._entered: dict[str, int] = {}  # bytes of checksums that are on disk
        self._opened: dict[str, tuple[Checked, NDArray[Any], int]] = {}
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
            data = parse_json(path.read_bytes())
            if data["format"] != _FORMAT:
                raise ValueError(f"it is no {_FORMAT}")
            if data["version"] != _VERSION:
                older = data["version"] < _VERSION
                raise ValueError(f"it was written by {'an older' if older else 'a newer'} limbeck")
            if data.pop("checksum") != _checksum(data):
                raise ValueError("its checksum is not that of its content")
            arrays = {_file_name(k): _array(*given) for k, given in data["arrays"].items()}
            rows, done = data["rows"], data["done"]
            if type(rows) is not int or type(done) is not int or not 0 <= done <= rows:
                raise ValueError(f"{done!r} of {rows!r} rows are complete")
            found = cls(folder, data["head"], arrays, rows, done)
            found._sums = {name: found._read_sums(name, *data["sums"][name]) for name in arrays}
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
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
                self._files[name] = self._ready(name, array)
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
        written: dict[str, memoryview] = {}
        try:
            for name, array in self.arrays.items():
                block = np.ascontiguousarray(rows[name], dtype=array.dtype)
                written[name] = left = block.reshape(-1).view(np.uint8).data
                while left:  # a raw write may take only a part
                    left = left[self._files[name].write(left) :]
        except OSError as error:
            raise self._refused(error) from None
        for name, data in written.items():
            self._sums[name].add(data)
        self.done += len(next(iter(rows.values())))
        if time.monotonic() - self._settled > _SETTLED:
            self._settle()

    def read(self, name: str, rows: NDArray[np.int64]) -> NDArray[Any]:
        """Complete rows of an array, (len(rows), ...); it may be incomplete.

        Parameters
        ----------
        name : str
            The array.
        rows : ndarray of int64, shape (m,)
            Positions of the rows.

        Raises
        ------
        FileRefused
            If the bytes are not those that were written: names the file and the block.
        """
        array = self.arrays[name]
        size = array.row_bytes
        if not (size and len(rows)):
            return np.empty((len(rows), *array.shape), array.dtype)
        if name not in self._opened:
            start = len(self._start(name))
            end = start + self.done * size
            held = Checked(self._path(name), self._sums[name].blocks(), end)
            table = held.bytes[start:].view(array.dtype).reshape(self.done, *array.shape)
            self._opened[name] = held, table, start
        held, table, start = self._opened[name]
        places = start + np.asarray(rows, dtype=np.int64) * size
        held.check(places, places + size)
        return np.asarray(table[rows])

    def remove(self) -> None:
        """Delete the arrays and the header, the header first."""
        files = [path for n in self.arrays for path in (self._path(n), self._sums_path(n))]
        for file in (self.folder / "cache.json", *files):
            file.unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.npy"

    def _sums_path(self, name: str) -> Path:
        return self.folder / f"{name}.crc"

    def _read_sums(self, name: str, full: int, of_full: int, tail: int) -> RunningChecksums:
        """The checksums of an array: how many complete blocks, the checksum of theirs, the last."""
        path, size = self._sums_path(name), 4 * full
        content = path.read_bytes()[:size] if full else b""
        if len(content) != size or zlib.crc32(content) != of_full:
            raise ValueError(f"the checksums in {str(path)!r} are damaged")
        end = len(self._start(name)) + self.done * self.arrays[name].row_bytes
        return RunningChecksums(content, tail, end - full * BLOCK)

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

    def _ready(self, name: str, array: Array) -> IO[bytes]:
        path, start = self._path(name), self._start(name)
        self._opened.pop(name, None)
        if self.done == 0:
            path.write_bytes(start)
            self._sums_path(name).write_bytes(b"")
            self._sums[name] = RunningChecksums()
            self._sums[name].add(memoryview(start))
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
        for name, file in self._files.items():
            os.fsync(file.fileno())
            self._write_sums(name)
        data = {
            "format": _FORMAT,
            "version": _VERSION,
            "head": self.head,
            "arrays": {k: [a.shape, a.dtype] for k, a in self.arrays.items()},
            "rows": self.rows,
            "done": self.done,
            "sums": {k: [len(s.full) // 4, zlib.crc32(s.full), s.tail]
                     for k, s in self._sums.items()},
        }  # fmt: skip
        data["checksum"] = _checksum(data)
        write_bytes(strict_json(data).encode(), self.folder / "cache.json")
        self._settled = time.monotonic()

    def _write_sums(self, name: str) -> None:
        """Append the checksums of blocks that are complete by now."""
        full = self._sums[name].full
        with self._sums_path(name).open("r+b") as file:
            have = min(file.seek(0, os.SEEK_END), self._entered.get(name, 0))
            file.seek(have)
            file.truncate()
            file.write(full[have:])
            file.flush()
            os.fsync(file.fileno())
        self._entered[name] = len(full)

    def _refused(self, error: OSError) -> FileRefused:
        left = sum((self.rows - self.done) * a.row_bytes for a in self.arrays.values())
        return FileRefused(
            f"{str(self.folder)!r} cannot be written: {error.strerror or error}."
            f" {self.done:,} of {self.rows:,} rows are complete and stay.",
            f"Make room for {left:,} bytes and fill it again: it goes on where it stopped.",
        )


def _file_name(name: str) -> str:
    """The name of an array, which becomes that of a file in the folder and never leads out."""
    if not re.fullmatch(r"\w[\w.-]*", name):
        raise ValueError(f"{name!r} is no name of an array")
    return name


def _array(shape: list[int], dtype: str) -> Array:
    if not all(type(side) is int and side >= 0 for side in shape) or not isinstance(dtype, str):
        raise ValueError(f"there is no array of shape {shape} and dtype {dtype!r}")
    if np.dtype(dtype).kind not in "biufcV":  # V: bfloat16 as stored
        raise ValueError(f"there is no array of dtype {dtype!r}")
    return Array(tuple(shape), dtype)


def _checksum(data: Mapping[str, Any]) -> int:
    """Of what a header holds, however it is spaced."""
    return zlib.crc32(json.dumps(data, sort_keys=True, allow_nan=False).encode())


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
