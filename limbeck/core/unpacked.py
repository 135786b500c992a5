"""Packed files, unpacked no further than a limit from their own size: a bomb ends in a sentence."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from limbeck.core.arrays import ALWAYS, MOST_TIMES
from limbeck.core.errors import FileRefused

__all__ = ["PACKED", "pack", "unpacked"]

_MOST_MEMORY = 1 << 28  # bytes that unpacking .xz may take; xz -9 asks for 65 MiB
_DAMAGED = (
    OSError, EOFError, ValueError, RuntimeError, NotImplementedError, MemoryError,
    zlib.error, lzma.LZMAError, zipfile.BadZipFile,
)  # fmt: skip


def unpacked(path: Path) -> bytes:
    """The content of a file, unpacked where its name ends in .gz, .bz2, .xz or .zip.

    Parameters
    ----------
    path : Path
        The file; a .zip archive must hold one file.

    Raises
    ------
    FileRefused
        If it cannot be read, is damaged, or holds more than 200 times its own size beside the
        first 16 MiB.
    """
    unpack = PACKED.get(path.suffix.lower())
    try:
        raw = path.read_bytes()
        if unpack is None:
            return raw
        most = ALWAYS + MOST_TIMES * len(raw)
        content = unpack(raw, most + 1)
    except FileRefused as error:
        raise FileRefused(f"{str(path)!r} {error.problem}", error.remedy) from None
    except _DAMAGED as error:
        said = getattr(error, "strerror", None) or str(error).strip() or type(error).__name__
        said = str(said).splitlines()[0].rstrip(".")
        raise FileRefused(f"{str(path)!r} cannot be read: {said}.", "Write it anew.") from None
    if len(content) > most:
        raise FileRefused(
            f"{str(path)!r} unpacks to more than {most:,} bytes, {MOST_TIMES} times its size.",
            "If you know where it comes from, unpack it yourself and give the file.",
        )
    return content


def pack(content: bytes) -> bytes:
    """Gzip that :func:`unpacked` reads, and the same bytes each time.

    Parameters
    ----------
    content : bytes
        What is packed.
    """
    packed = gzip.compress(content, mtime=0)
    if len(content) > ALWAYS + MOST_TIMES * len(packed):  # a reader would take it for a bomb
        packed = gzip.compress(content, compresslevel=0, mtime=0)
    return packed


def _gz(raw: bytes, most: int) -> bytes:
    with gzip.GzipFile(fileobj=io.BytesIO(raw)) as file:
        return file.read(most)


def _bz2(raw: bytes, most: int) -> bytes:
    with bz2.BZ2File(io.BytesIO(raw)) as file:
        return file.read(most)


def _xz(raw: bytes, most: int) -> bytes:
    """Streams one after the other; the standard library's file does not limit the memory."""
    parts: list[bytes] = []
    while raw and most > 0:
        one = lzma.LZMADecompressor(memlimit=_MOST_MEMORY)
        parts.append(one.decompress(raw, max_length=most))
        most -= len(parts[-1])
        if not one.eof:
            if most > 0:
                raise EOFError("it ends early")
            break
        raw = one.unused_data.lstrip(b"\0")  # padding between streams
    return b"".join(parts)


def _zip(raw: bytes, most: int) -> bytes:
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        names = [n for n in archive.namelist() if not n.endswith("/") and "__MACOSX" not in n]
        if len(names) != 1:
            raise FileRefused(f"holds {len(names):,} files.", "Give an archive of one file.")
        with archive.open(names[0]) as file:
            return file.read(most)


PACKED: dict[str, Callable[[bytes, int], bytes]] = {
    ".gz": _gz, ".bz2": _bz2, ".xz": _xz, ".zip": _zip,
}  # fmt: skip
"""What unpacks a file of this ending, up to so many bytes."""
