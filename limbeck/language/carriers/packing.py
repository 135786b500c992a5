"""Token ids in as many bits as the vocabulary needs, such as 16 of 49,152 and 18 of 151,936."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["bits_of", "pack", "packed_bytes", "unpack"]


def bits_of(vocabulary: int) -> int:
    """Bits of an id below ``vocabulary``."""
    return max(1, (vocabulary - 1).bit_length())


def packed_bytes(count: int, bits: int) -> int:
    """Bytes that so many ids take.

    Parameters
    ----------
    count, bits : int
        How many ids of how many bits.
    """
    return (count * bits + 7) // 8


def pack(ids: NDArray[Any], bits: int) -> NDArray[np.uint8]:
    """Ids as bytes, lowest bits first.

    Parameters
    ----------
    ids : ndarray of int, shape (n,)
        From 0 to 2^bits - 1.
    bits : int
        1 to 32.

    Examples
    --------
    >>> pack(np.array([1, 2, 3]), 4).tolist()
    [33, 3]
    """
    if bits in (8, 16):
        return ids.astype(f"<u{bits // 8}").view(np.uint8)
    each = ids.astype("<u4").view(np.uint8).reshape(-1, 4)
    found = np.unpackbits(each, axis=1, count=bits, bitorder="little")
    return np.packbits(found, bitorder="little")


def unpack(data: NDArray[np.uint8], bits: int, count: int) -> NDArray[np.int64]:
    """The ids again.

    Parameters
    ----------
    data : ndarray of uint8
        From `pack`.
    bits : int
        As there.
    count : int
        How many ids there are.
    """
    if bits in (8, 16):
        return np.ascontiguousarray(data).view(f"<u{bits // 8}").astype(np.int64)
    found = np.unpackbits(data, count=count * bits, bitorder="little").reshape(count, bits)
    whole = np.packbits(found, axis=1, bitorder="little")
    wide = np.zeros((count, 4), dtype=np.uint8)
    wide[:, : whole.shape[1]] = whole
    return wide.view("<u4")[:, 0].astype(np.int64)
