"""Which rows were used, and whether training saw them: fingerprints and overlaps."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtrc

from limbeck.certificates.binomial import upper_bound
from limbeck.core.contract import Label
from limbeck.core.errors import InvalidInput
from limbeck.data.duplicates import (
    ColumnKind,
    Rule,
    distinctive,
    near_hashes,
    round_to_float32,
    row_hashes,
)

__all__ = [
    "Fingerprint",
    "Overlap",
    "TrainingOverlap",
    "overlap",
    "refuse_seen",
    "row_hashes",
    "seen_among",
]

_BLOCK = 8192
_LEVEL = 1e-3


class Fingerprint:
    """SHA-256 of rows with their answers, whatever their order; fed block by block.

    Rows and answers are rounded as by `round_to_float32`, so that a table kept as float32 has the
    fingerprint of the same table in float64.

    Examples
    --------
    >>> a = Fingerprint()
    >>> a.add(np.array([[0.0, 0.1], [2.0, 3.0]]))
    >>> b = Fingerprint()
    >>> b.add(np.array([[2.0, 3.0], [-0.0, np.float32(0.1)]]))
    >>> a.hexdigest(np.array([1.0, 4.0])) == b.hexdigest(np.array([4.0, 1.0]))
    True
    """

    def __init__(self) -> None:
        self._rows: list[bytes] = []

    def add(self, values: NDArray[np.float64]) -> None:
        """Add encoded rows of shape (b, d)."""
        for start in range(0, len(values), _BLOCK):
            block = round_to_float32(values[start : start + _BLOCK])
            self._rows += [hashlib.sha256(row.tobytes()).digest() for row in block]

    def hexdigest(
        self,
        answers: NDArray[np.float64],
        classes: Sequence[Label] = (),
        *,
        ordered: bool = False,
    ) -> str:
        """The fingerprint, in hexadecimal.

        Parameters
        ----------
        answers : ndarray of shape (n,)
            Values, or indices of classes.
        classes : sequence of labels
            The classes that the indices mean; empty for regression.
        ordered : bool
            Whether the order of the rows enters it, for bounds that depend on it.
        """
        told = round_to_float32(answers)
        each = [row + answer.tobytes() for row, answer in zip(self._rows, told, strict=True)]
        out = hashlib.sha256(b"limbeck rows 2\n")
        out.update(json.dumps([ordered, len(told), [str(c) for c in classes]]).encode())
        for entry in each if ordered else sorted(each):
            out.update(entry)
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
    expect, as in Good (1953). As that share is itself an estimate, its upper bound at 1 in 1,000
    takes its place, and a binomial test at 1 in 1,000 asks whether the overlap is larger. Both
    are heuristic: twins come in pairs, so that their number is not binomial. Continuous data
    have no twins, the expected rate is 0, and any overlap is unexplained.

    What it cannot do: where coincidence is rare but possible and the seen rows happen to hold
    no twin, a fresh row that coincides is refused wrongly (of 1,000,000 rows that are alike
    likely, 1,000 seen and 500 held out: in a quarter of cases); where twins are common, a small
    leak passes. It presumes that seen rows are drawn like the holdout: pass the hashes of the data
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
    known = np.asarray(seen, dtype=np.uint64)
    return _overlap(int(np.isin(hashes, known).sum()), len(hashes), known)


def _overlap(hits: int, n: int, seen: NDArray[np.uint64]) -> Overlap:
    counts = np.unique(seen, return_counts=True)[1]
    m = int(counts.sum())
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


@dataclass(frozen=True, eq=False)
class TrainingOverlap:
    """Which rows of a holdout training saw.

    Parameters
    ----------
    hit : ndarray of shape (n,), bool
        Rows that are equal, within the rounding of float32, to a row that training saw.
    copied : ndarray of shape (n,), bool
        Those of them that cannot coincide by chance; see `limbeck.data.duplicates.distinctive`.
    overlap : Overlap
        Whether chance explains the others.
    """

    hit: NDArray[np.bool_]
    copied: NDArray[np.bool_]
    overlap: Overlap

    @property
    def explained(self) -> bool:
        """Whether fresh rows might coincide with the seen ones as often."""
        return not self.copied.any() and self.overlap.explained

    def refuse(self) -> None:
        """Refuse a holdout that training saw.

        Raises
        ------
        InvalidInput
            If chance does not explain it.
        """
        if not self.explained:
            n = len(self.hit)
            raise InvalidInput(
                f"Training saw {int(self.hit.sum()):,} of these {n:,} rows; repeats in the data"
                f" explain about {self.overlap.twin_rate * self.overlap.n:.3g}.",
                "Certify on rows that were set aside before training, or on fresh draws.",
            )


def seen_among(
    values: NDArray[np.float64],
    seen: NDArray[np.uint64],
    kinds: Sequence[ColumnKind],
    rule: Rule = "auto",
) -> TrainingOverlap:
    """Compare rows of a holdout with the rows that training saw.

    A row that values in continuous columns mark (`limbeck.data.duplicates.distinctive`) cannot
    equal a seen row by chance: one is enough to be refused. For the others see `overlap`.

    Parameters
    ----------
    values : ndarray of shape (n, d), float64
        Encoded rows of the holdout.
    seen : ndarray of shape (m,), uint64
        Hashes of the rows that training saw, repeats kept.
    kinds : sequence of d kinds
        What the columns hold.
    rule : {"auto", "drop", "keep"}
        Where identical rows are said to be copies, so is each that training saw; where they are
        said to be draws of their own, chance may explain each.

    Returns
    -------
    TrainingOverlap
        Which rows training saw, and whether chance explains them.
    """
    known, own = np.asarray(seen, dtype=np.uint64), row_hashes(values)
    hit = np.isin(own, known)
    for hashes in near_hashes(values):
        hit |= np.isin(hashes, known)
    marked = np.full(len(hit), rule == "drop")
    if rule == "auto" and hit.any():
        _, place, where, times = np.unique(
            own, return_index=True, return_inverse=True, return_counts=True
        )
        marked = distinctive(values[place], kinds, times)[where]
    rest = int((hit & ~marked).sum())
    return TrainingOverlap(hit, hit & marked, _overlap(rest, int((~marked).sum()), known))
