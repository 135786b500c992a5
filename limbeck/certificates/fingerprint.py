"""Which rows were used, and whether training saw them: fingerprints and overlaps."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.errors import InvalidInput
from limbeck.core.task import Label
from limbeck.data.duplicates import (
    ColumnKind,
    Rule,
    distinctive,
    hashes_with_near,
    round_to_float32,
    row_hashes,
)

__all__ = [
    "Fingerprint",
    "Overlap",
    "TrainingOverlap",
    "among",
    "check_seen",
    "digests_of_rows",
    "overlap",
    "read_seen_hashes",
    "row_hashes",
    "seen_among",
]

_BLOCK = 8192
_LEVEL = 1e-3
_DEALINGS = (199, 4_800)  # the second only where few of the first show as many hits
_COMMON = 10


def among(hashes: NDArray[np.uint64], known: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Which of n hashes are among the known ones.

    They are sorted: a look-up table, which numpy else tries first, overflows in numpy 2.0 where
    a hash is above 2^63.

    Parameters
    ----------
    hashes : ndarray of shape (n,)
        Hashes of rows.
    known : ndarray of shape (m,)
        Hashes that are looked for.
    """
    return np.isin(hashes, known, kind="sort")


def digests_of_rows(values: NDArray[np.float64]) -> list[bytes]:
    """The SHA-256 of each encoded row (n, d), rounded as by `round_to_float32`.

    Parameters
    ----------
    values : ndarray of shape (n, d)
        Encoded rows.
    """
    if not values.shape[1]:
        return [hashlib.sha256().digest()] * len(values)
    out: list[bytes] = []
    for start in range(0, len(values), _BLOCK):
        block = round_to_float32(values[start : start + _BLOCK])
        told, width = memoryview(block.tobytes()), block.itemsize * block.shape[1]
        out += [hashlib.sha256(told[i : i + width]).digest() for i in range(0, len(told), width)]
    return out


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
        self._rows += digests_of_rows(values)

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
        said = np.ascontiguousarray(told).view(f"V{told.itemsize}").tolist()
        each = [row + answer for row, answer in zip(self._rows, said, strict=True)]
        out = hashlib.sha256(b"limbeck rows 2\n")
        out.update(json.dumps([ordered, len(told), [str(c) for c in classes]]).encode())
        if not ordered:
            each.sort()
        for start in range(0, len(each), _BLOCK):
            out.update(b"".join(each[start : start + _BLOCK]))
        return out.hexdigest()


@dataclass(frozen=True)
class Overlap:
    """How many holdout rows training saw, and whether chance explains it.

    Parameters
    ----------
    hits, n : int
        Holdout rows whose hash is among the seen ones, of n.
    expected : float
        As many as that on average, if the same rows are dealt to training and holdout at random.
    p_value : float
        How often chance deals so many, by simulation; 1 where that is about as expected or fewer.
    """

    hits: int
    n: int
    expected: float
    p_value: float

    @property
    def explained(self) -> bool:
        """Whether fresh rows might coincide as often, at the level 1 in 1,000."""
        return self.p_value >= _LEVEL


def overlap(hashes: NDArray[np.uint64], seen: NDArray[np.uint64]) -> Overlap:
    """Compare holdout rows with the rows that training saw.

    Fresh rows of discrete data may legitimately equal training rows. If both are independent draws
    from one distribution, then, given all rows, each way to deal them to the two sides is alike
    likely, whatever the distribution (Fisher's randomisation test). The rows are dealt 4,999
    times, and the holdout is refused if so many hits are too rare: with honest rows in at most
    1 in 1,000 cases, as (1 + dealings with so many hits) / 5,000 is a p-value for any number
    of dealings (Phipson and Smyth 2010).

    What it cannot do: of few rows, or where repeats are common, a small leak passes. Of 1,000
    seen rows and 500 held out, all different before, 9 that were copied are refused; of 100,000
    seen rows 2 are. It presumes that seen rows are drawn like the holdout: pass the
    hashes of the data that training used, with their repeats, and leave out queries that a sampler
    drew elsewhere.

    Parameters
    ----------
    hashes : ndarray of shape (n,), uint64
        Hashes of the holdout rows, with repeats; see `row_hashes`.
    seen : ndarray of shape (m,), uint64
        Hashes of the rows that training saw, repeats kept.

    Returns
    -------
    Overlap
        The counts and the test.
    """
    known = np.asarray(seen, dtype=np.uint64)
    hits, n = int(among(hashes, known).sum()), len(hashes)
    if not hits:
        return Overlap(0, n, 0.0, 1.0)
    times = np.unique(np.concatenate([known, hashes]), return_counts=True)[1]
    sizes = np.stack(np.unique(times, return_counts=True), axis=1)
    drawn = np.arange(sizes[-1, 0])  # all c rows that are equal are held out with this probability
    alone = np.cumprod(np.maximum(n - drawn, 0) / (n + len(known) - drawn))
    expected = float(n - sum(c * k * alone[c - 1] for c, k in sizes))
    if hits <= expected or n - expected <= 0.5:  # half of the dealings then make every row a hit
        return Overlap(hits, n, expected, 1.0)
    rng = np.random.default_rng(0)
    as_many = dealt = 0
    for more in _DEALINGS:
        as_many += int((_deal(sizes, n, more, rng) >= hits).sum())
        dealt += more
        if as_many >= _COMMON:
            break
    return Overlap(hits, n, expected, (1 + as_many) / (1 + dealt))


def _deal(
    sizes: NDArray[np.int64], n: int, dealings: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Hits where n rows are held out at random; sizes: how many rows are equal, and how often.

    Row after row, without replacement: the i-th of the rows equal to each other, of all sets at
    once. A holdout row is no hit if all rows equal to it are held out as well.
    """
    free = np.full(dealings, n)  # places left in the holdout
    left = np.full(dealings, int((sizes[:, 0] * sizes[:, 1]).sum()))
    hits = np.full(dealings, n)

    def draw(rows: NDArray[np.int64]) -> NDArray[np.int64]:
        held = rng.hypergeometric(free, left - free, rows)
        np.subtract(free, held, out=free)
        np.subtract(left, rows, out=left)
        return np.asarray(held, dtype=np.int64)

    for size, sets in sizes:
        alone = np.full(dealings, sets)  # sets of which all rows so far are held out
        for i in range(size):
            others = sets - alone
            alone = draw(alone)
            if not alone.any():
                draw(others + sets * (size - 1 - i))
                break
            draw(others)
        hits -= size * alone
    return hits


def read_seen_hashes(seen: Any) -> NDArray[np.uint64]:
    """Hashes of rows that training saw, refused where they can be none.

    Rows themselves, or their means, would coincide with no hash: a comparison with them would find
    any holdout fresh.

    Parameters
    ----------
    seen : ndarray of shape (m,) or (m, 2), uint64
        Hashes of rows, or of rows and of their cases beside them.

    Raises
    ------
    InvalidInput
        If it is no array of uint64, or of another shape.
    """
    dtype, shape = getattr(seen, "dtype", None), getattr(seen, "shape", None)
    if (
        dtype != np.uint64
        or shape is None
        or len(shape) not in (1, 2)
        or shape[1:] not in ((), (2,))
    ):
        what = type(seen).__name__ if dtype is None else f"{dtype} of shape {shape}"
        raise InvalidInput(
            f"Hashes of the rows that training saw are uint64 of shape (m,) or (m, 2), and {what}"
            " was given.",
            "Give row_hashes of the encoded rows, or the seen.npy that limbeck wrote.",
        )
    return np.asarray(seen)


def check_seen(hashes: NDArray[np.uint64], seen: NDArray[np.uint64]) -> Overlap:
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
            f" about {found.expected:.3g} (p = {found.p_value:.2g}).",
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
                f" explain about {self.overlap.expected:.3g}.",
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
    known = np.asarray(seen, dtype=np.uint64)
    own, *nears = hashes_with_near(values)
    equal = own.copy()  # to a seen row, where there is one
    hit = among(own, known)
    for hashes in nears:
        other = np.flatnonzero(~hit & (hashes != own))
        met = other[among(hashes[other], known)]
        equal[met], hit[met] = hashes[met], True
    marked = np.full(len(hit), rule == "drop")
    if rule == "auto" and hit.any():
        _, place, where, times = np.unique(
            own, return_index=True, return_inverse=True, return_counts=True
        )
        marked = distinctive(values[place], kinds, times)[where]
    copied = hit & marked
    return TrainingOverlap(hit, copied, overlap(equal[~copied], known))
