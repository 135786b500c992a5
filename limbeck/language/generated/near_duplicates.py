"""Near-duplicates by MinHash and locality-sensitive hashing, each pair checked exactly."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from limbeck.language.generated.rouge import rouge_tokens

__all__ = ["jaccard", "near_duplicates", "shingles"]

_PRIME = np.uint64((1 << 61) - 1)
_MASK = np.uint64((1 << 32) - 1)


def shingles(text: str, size: int = 5) -> frozenset[int]:
    """Hashes of all runs of ``size`` tokens; of a shorter text that of all of them.

    Parameters
    ----------
    text : str
        The text.
    size : int
        Tokens in a run.

    Examples
    --------
    >>> len(shingles("one two three four five six")), len(shingles("one two"))
    (2, 1)
    """
    tokens = rouge_tokens(text, any_script=True)
    runs = [tokens[i : i + size] for i in range(max(1, len(tokens) - size + 1))]
    return frozenset(_hash(" ".join(run)) for run in runs)


def jaccard(a: frozenset[int], b: frozenset[int]) -> float:
    """The share of the shingles of two texts that both have.

    Parameters
    ----------
    a, b : frozenset of int
        As `shingles` returns them.
    """
    return len(a & b) / len(a | b) if a or b else 0.0


def near_duplicates(
    texts: Sequence[str],
    threshold: float = 0.7,
    *,
    size: int = 5,
    permutations: int = 256,
    seed: int = 0,
) -> dict[int, int]:
    """For each text that is nearly an earlier one, the position of that one.

    MinHash (Broder 1997) estimates the Jaccard similarity of two sets by the share of random
    orders in which they have the same first element. Signatures are cut into bands, and texts that
    share a band are compared (Leskovec, Rajaraman, Ullman, "Mining of Massive Datasets", section
    3.4) by their exact similarity, so that no text is dropped by chance. With 256 orders and a
    threshold of 0.7 a pair at the threshold is found with a probability of more than 0.99.

    Parameters
    ----------
    texts : sequence of n str
        The texts, the ones to keep first.
    threshold : float
        The Jaccard similarity from which on the later text is a near-duplicate.
    size : int
        Tokens in a shingle.
    permutations : int
        Random orders.
    seed : int
        Of the random orders.

    Examples
    --------
    >>> near_duplicates(["a b c d e f g h", "Name a river.", "a b c d e f g h!"])
    {2: 0}
    """
    sets = [shingles(text, size) for text in texts]
    rows = _rows_per_band(threshold, permutations)
    signatures = _signatures(sets, permutations, seed)
    buckets: dict[tuple[int, bytes], list[int]] = {}
    found: dict[int, int] = {}
    for i, signature in enumerate(signatures):
        parts = [
            (band, signature[band * rows : (band + 1) * rows].tobytes())
            for band in range(permutations // rows)
        ]
        near = sorted({j for part in parts for j in buckets.get(part, ())})
        match = next((j for j in near if jaccard(sets[i], sets[j]) >= threshold), None)
        if match is not None:
            found[i] = match
            continue
        for part in parts:
            buckets.setdefault(part, []).append(i)
    return found


def _rows_per_band(threshold: float, permutations: int) -> int:
    """The longest bands with which a pair at the threshold is missed with at most 1%."""
    best = 1
    for rows in range(1, permutations + 1):
        if (1 - threshold**rows) ** (permutations // rows) <= 0.01:
            best = rows
    return best


def _signatures(sets: Sequence[frozenset[int]], permutations: int, seed: int) -> NDArray[np.uint64]:
    """The least value of each random order of each set, (n, permutations)."""
    rng = np.random.default_rng(seed)
    a = rng.integers(1, int(_PRIME), permutations, dtype=np.uint64)
    b = rng.integers(0, int(_PRIME), permutations, dtype=np.uint64)
    out = np.full((len(sets), permutations), np.iinfo(np.uint64).max, dtype=np.uint64)
    for i, one in enumerate(sets):
        values = np.fromiter(one, dtype=np.uint64, count=len(one))
        # wrap-around of 64 bits is a part of the hash
        out[i] = (((values[:, None] * a + b) % _PRIME) & _MASK).min(axis=0)
    return out


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "little")
