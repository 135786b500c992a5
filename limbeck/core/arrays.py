"""Arrays from .npy and .npz files, read without trust in what they claim.

A header may claim terabytes, and a compressed file may hold a thousand times its size. So what a
file claims is compared with its real size before memory is taken, and everything that the format
allows to go wrong ends in one sentence.
"""

from __future__ import annotations

import ast
import io
import math
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.atomic_io import write_bytes
from limbeck.core.errors import FileRefused

__all__ = ["ALWAYS", "MOST_TIMES", "read_array", "read_arrays", "write_arrays"]

_MOST_HEADER = 10_000  # bytes, as numpy's own reader allows
MOST_TIMES = 200
"""Bytes that compressed arrays may hold for each byte of their file, beside the first 16 MiB."""
ALWAYS = 1 << 24
"""Bytes that compressed files may hold in any case."""
_DAMAGED = (
    OSError, ValueError, TypeError, KeyError, EOFError, SyntaxError, OverflowError, MemoryError,
    NotImplementedError, RuntimeError, RecursionError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
_REMEDY = "Write it again with numpy."


def write_arrays(path: Path, **arrays: NDArray[Any]) -> Path:
    """Write an .npz file that :func:`read_arrays` takes, all of it or nothing; returns its path.

    Parameters
    ----------
    path : Path
        The file; one that exists is replaced.
    **arrays : ndarray
        By name.
    """
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    if sum(a.nbytes for a in arrays.values()) > MOST_TIMES * buffer.tell():
        buffer = io.BytesIO()  # hardly more than zeros, which a reader would take for a bomb
        np.savez(buffer, allow_pickle=False, **arrays)
    return write_bytes(buffer.getvalue(), path)


def read_array(path: str | Path) -> NDArray[Any]:
    """The array of an .npy file.

    Parameters
    ----------
    path : path
        The file.

    Raises
    ------
    FileRefused
        If it cannot be read, is no array of numbers, booleans or text, or shorter or longer than
        its header says.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(f"{folder}/seen.npy", np.arange(3, dtype=np.uint64))
    ...     read_array(f"{folder}/seen.npy").tolist()
    [0, 1, 2]
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            return _array(file, path.stat().st_size)
    except _DAMAGED as error:
        raise _refused(path, error) from None


def read_arrays(
    path: str | Path, names: Sequence[str], optional: Sequence[str] = ()
) -> dict[str, NDArray[Any]]:
    """Arrays of an .npz file by name; others in it are not read.

    Parameters
    ----------
    path : path
        The file.
    names : sequence of str
        Arrays that must be there.
    optional : sequence of str
        Arrays that may be there.

    Raises
    ------
    FileRefused
        If the file cannot be read or an array is missing, is none of numbers, booleans or text, or
        claims to hold more than its file can.
    """
    path = Path(path)
    try:
        room = ALWAYS + MOST_TIMES * path.stat().st_size
        with zipfile.ZipFile(path) as file:
            members = file.namelist()
            twice = {name for name in members if members.count(name) > 1}
            if twice:
                raise ValueError(f"it holds {min(twice)!r} twice")
            there = [n for n in optional if f"{n}.npy" in members]
            lacking = [n for n in names if f"{n}.npy" not in members]
            if lacking:
                raise ValueError(f"it holds no array {lacking[0]!r}")
            found = {}
            for name in (*names, *there):
                size = file.getinfo(f"{name}.npy").file_size
                room -= size
                if room < 0:
                    raise ValueError(
                        f"its arrays claim more than {MOST_TIMES} times the size of the file"
                    )
                with file.open(f"{name}.npy") as member:
                    found[name] = _array(member, size)
    except _DAMAGED as error:
        raise _refused(path, error) from None
    return found


def _array(file: IO[bytes], size: int) -> NDArray[Any]:
    """The array in an open file of ``size`` bytes."""
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0), (3, 0)):
        raise ValueError(f"there is no version {version} of the format")
    width = 2 if version == (1, 0) else 4
    length = int.from_bytes(file.read(width), "little")
    if length > _MOST_HEADER:
        raise ValueError(f"its header claims {length:,} bytes")
    header = ast.literal_eval(file.read(length).decode("utf-8" if version == (3, 0) else "latin1"))
    if not isinstance(header, dict) or set(header) != {"descr", "fortran_order", "shape"}:
        raise ValueError("its header is malformed")
    dtype = np.dtype(header["descr"])
    if dtype.kind not in "biufcUSmM":
        raise ValueError(f"it holds {dtype}, and only numbers, booleans and text are read")
    shape, columns_first = header["shape"], header["fortran_order"]
    if not isinstance(columns_first, bool) or not isinstance(shape, tuple):
        raise ValueError("its header is malformed")
    if not all(type(side) is int and side >= 0 for side in shape):
        raise ValueError(f"its shape is {shape}")
    needed, have = math.prod(shape) * dtype.itemsize, size - len(np.lib.format.MAGIC_PREFIX) - 2
    have -= width + length
    if needed != have:
        raise ValueError(f"its header claims {needed:,} bytes, and it holds {have:,}")
    content = file.read(needed)
    if len(content) != needed or file.read(1):
        raise ValueError("it ends early, or goes on behind its array")
    flat = np.frombuffer(bytearray(content), dtype) if needed else np.zeros(0, dtype)
    return flat.reshape(shape, order="F" if columns_first else "C")


def _refused(path: Path, error: BaseException) -> FileRefused:
    if isinstance(error, OSError) and error.strerror:
        return FileRefused(f"{str(path)!r} cannot be read: {error.strerror}.", "Check the path.")
    said = str(error).strip().splitlines()
    why = said[0] if said else type(error).__name__
    return FileRefused(f"{str(path)!r} cannot be read: {why}.", _REMEDY)
