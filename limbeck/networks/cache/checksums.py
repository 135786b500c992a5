"""Checksums of a file by blocks of 64 KiB: a byte that changed is told by its block, and in time.

CRC-32 sees every change of up to 32 bits in a row, hence of any single byte, and of larger changes
all but one in four billion. Blocks are checked when they are first read, once.
"""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from limbeck.core.errors import FileRefused

__all__ = ["BLOCK", "Checked", "RunningChecksums", "block_sums"]

BLOCK = 1 << 16
"""Bytes of a block."""


def block_sums(data: bytes | memoryview) -> NDArray[np.uint32]:
    """The checksum of each block of some bytes; the last block may be shorter."""
    view = memoryview(data)
    starts = range(0, len(view), BLOCK)
    return np.array([zlib.crc32(view[i : i + BLOCK]) for i in starts], dtype="<u4")


class RunningChecksums:
    """The checksums of a file that grows.

    Parameters
    ----------
    full : bytes
        Checksums of the complete blocks, 4 bytes each.
    tail, held : int
        Checksum of the last, incomplete block, and its number of bytes.
    """

    def __init__(self, full: bytes = b"", tail: int = 0, held: int = 0) -> None:
        self.full, self.tail, self.held = bytearray(full), tail, held

    def add(self, data: memoryview) -> None:
        """Go on with what is appended to the file."""
        while data:
            some = data[: BLOCK - self.held]
            self.tail = zlib.crc32(some, self.tail)
            self.held += len(some)
            data = data[len(some) :]
            if self.held == BLOCK:
                self.full += self.tail.to_bytes(4, "little")
                self.tail = self.held = 0

    def blocks(self) -> NDArray[np.uint32]:
        """All of them, that of the incomplete block last."""
        last = self.tail.to_bytes(4, "little") if self.held else b""
        return np.frombuffer(bytes(self.full) + last, dtype="<u4")


class Checked:
    """The bytes of a file, mapped into memory, checked block by block when first asked for.

    Parameters
    ----------
    path : Path
        The file.
    sums : ndarray of uint32
        Of each block.
    size : int
        Bytes that they are of; what lies beyond is not read.
    """

    def __init__(self, path: Path, sums: NDArray[np.uint32], size: int) -> None:
        self._path, self._sums = path, sums
        self.bytes: NDArray[np.uint8] = np.asarray(np.memmap(path, np.uint8, "r", shape=(size,)))
        self._fresh = np.ones(len(sums), dtype=bool)
        self._left = len(sums)

    def check(self, first: NDArray[np.int64], last: NDArray[np.int64]) -> None:
        """Check the blocks that hold some stretches of bytes.

        Parameters
        ----------
        first, last : ndarray of int, of shape (n,)
            The first byte of each stretch, and the one behind it.

        Raises
        ------
        FileRefused
            Names the file and the block.
        """
        if not self._left:
            return
        a, b = first // BLOCK, (last - 1) // BLOCK
        spans = [np.arange(x + 1, y) for x, y in zip(a, b, strict=True) if y - x > 1]
        blocks = np.unique(np.concatenate([a, b, *spans]))
        for block in blocks[self._fresh[blocks]]:
            start = int(block) * BLOCK
            if zlib.crc32(self.bytes[start : start + BLOCK].data) != self._sums[block]:
                raise FileRefused(
                    f"{str(self._path)!r} is damaged: the 64 KiB from byte {start:,} (block"
                    f" {block}) are not those that were written.",
                    "Remove the folder, and fill it again.",
                )
            self._fresh[block] = False
            self._left -= 1
