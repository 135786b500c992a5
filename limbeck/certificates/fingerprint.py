"""Which rows were used: hashes of single rows, and one fingerprint of rows with answers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtrc

from limbeck.certificates.binomial import upper_bound
from limbeck.contract import Label
from limbeck.errors import InvalidInput

__all__ = ["Fingerprint", "Overlap", "overlap", "refuse_seen", "row_hashes"]

_BLOCK = 8192
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_LEVEL = 1e-3


def row_hashes(values: NDArray[np.float64]) -> NDArray[np.uint64]:
    """A 64-bit hash for each row; equal rows have equal hashes.

    Zeros of either sign are one value, and so are all NaN. The mixer is splitmix64 (Steele,
    Lea and Flood 2014), column after column, on blocks of rows, so that a large table needs
    little memory. Among a million rows two different ones collide with probability 3e-8; this
    is no defence against someone who builds collisions.

    Parameters
    ----------
    values : ndarray of shape (n, d), float64
        Encoded rows.

    Returns
    -------
    ndarray of shape (n,), uint64
        The hashes.
    """
    out = np.empty(len(values), dtype=np.uint64)
    for start in range(0, len(values), _BLOCK):
        bits = _canonical(values[start : start + _BLOCK]).T.copy().view(np.uint64)
        h = np.full(bits.shape[1], len(bits), dtype=np.uint64)
        for column in bits:  # order matters: each column is mixed into all before it
            h = _mix((h ^ column) + _GOLDEN)
        out[start : start + _BLOCK] = h
    return out


def _canonical(values: NDArray[np.float64]) -> NDArray[np.float64]:
    block = np.asarray(values, dtype="<f8") + 0.0  # a copy, with -0.0 turned into 0.0
    block[np.isnan(block)] = np.nan
    return block


def _mix(h: NDArray[np.uint64]) -> NDArray[np.uint64]:
    h ^= h >> np.uint64(30)
    h *= np.uint64(0xBF58476D1CE4E5B9)
    h ^= h >> np.uint64(27)
    h *= np.uint64(0x94D049BB133111EB)
    h ^= h >> np.uint64(31)
    return h


class Fingerprint:
    """SHA-256 of rows, in their order, with their answers; fed block by block.

    Examples
    --------
    >>> a = Fingerprint()
    >>> a.add(np.array([[0.0, 1.0]]))
    >>> b = Fingerprint()
    >>> b.add(np.array([[-0.0, 1.0]]))
    >>> a.hexdigest(np.array([1.0])) == b.hexdigest(np.array([1.0]))
    True
    """

    def __init__(self) -> None:
        self._hash = hashlib.sha256(b"limbeck rows 1\n")

    def add(self, values: NDArray[np.float64]) -> None:
        """Add encoded rows of shape (b, d)."""
        for start in range(0, len(values), _BLOCK):
            self._hash.update(_canonical(values[start : start + _BLOCK]).tobytes())

    def hexdigest(self, answers: NDArray[np.float64], classes: Sequence[Label] = ()) -> str:
        """The fingerprint, in hexadecimal.

        Parameters
        ----------
        answers : ndarray of shape (n,)
            Values, or indices of classes.
        classes : sequence of labels
            The classes that the indices mean; empty for regression.
        """
        out = self._hash.copy()
        out.update(json.dumps(["answers", len(answers), [str(c) for c in classes]]).encode())
        out.update(_canonical(answers).tobytes())
        return out.hexdigest()


@dataclass(frozen=True)
class Overlap:
    """How many holdout rows training saw, and whether chance explains it.

    Parameters
    ----------
    hits, n : int
        Holdout rows whose hash is among the seen ones, of n.
    twin_rate : float
        Share of seen rows that have an equal row among the other seen rows.
    highest_rate : float
        Upper confidence bound for the rate of coincidence; 0 where no seen row has a twin.
    p_value : float
        ``P(Bin(n, highest_rate) >= hits)``.
    """

    hits: int
    n: int
    twin_rate: float
    highest_rate: float
    p_value: float

    @property
    def explained(self) -> bool:
        """Whether fresh rows might coincide as often, at the level 1 in 1,000."""
        return self.p_value >= _LEVEL


def overlap(hashes: NDArray[np.uint64], seen: NDArray[np.uint64]) -> Overlap:
    """Compare holdout rows with the rows that training saw.

    Fresh rows of discrete data may legitimately equal training rows. How often is estimated
    from the seen rows themselves: a seen row is to the others what a fresh row is to all, so
    the share of seen rows that have a twin among the others (leave one out) is the rate to
    expect. As that share is itself an estimate, its exact upper bound at 1 in 1,000 takes its
    place, and an exact binomial test at 1 in 1,000 asks whether the overlap is larger.
    Continuous data have no twins, the expected rate is 0, and any overlap is unexplained.

    What it cannot do: where coincidence is rare but possible and the seen rows happen to hold
    no twin, a fresh row that coincides is refused wrongly; where twins are common, a small leak
    passes. It presumes that seen rows are drawn like the holdout: pass the hashes of the data
    that training used, with their repeats, and leave out queries that a sampler drew elsewhere.

    Parameters
    ----------
    hashes : ndarray of shape (n,), uint64
        Hashes of the holdout rows; see `row_hashes`.
    seen : ndarray of shape (m,), uint64
        Hashes of the rows that training saw, repeats kept.

    Returns
    -------
    Overlap
        The counts and the test.
    """
    values, counts = np.unique(np.asarray(seen, dtype=np.uint64), return_counts=True)
    hits, n, m = int(np.isin(hashes, values).sum()), len(hashes), int(counts.sum())
    twins = int(counts[counts > 1].sum())
    highest = upper_bound(twins, m, _LEVEL) if twins else 0.0
    p_value = float(bdtrc(hits - 1, n, highest)) if hits else 1.0
    return Overlap(hits, n, twins / max(m, 1), highest, p_value)


def refuse_seen(hashes: NDArray[np.uint64], seen: NDArray[np.uint64]) -> Overlap:
    """Refuse a holdout that training saw; see `overlap` for the rule.

    Parameters
    ----------
    hashes, seen
        As for `overlap`.

    Returns
    -------
    Overlap
        What was found, where it is explained.

    Raises
    ------
    InvalidInput
        If the overlap is larger than coincidence explains.
    """
    found = overlap(hashes, seen)
    if not found.explained:
        raise InvalidInput(
            f"Training saw {found.hits:,} of these {found.n:,} rows; repeats in the data explain"
            f" about {found.twin_rate * found.n:.3g} (p = {found.p_value:.2g}).",
            "Certify on rows that were set aside before training, or on fresh draws.",
        )
    return found
