"""Which rows are the same row: hashes that float32 does not change, copies and coincidences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput, did_you_mean
from limbeck.core.texts import CODES

__all__ = [
    "RULES",
    "ColumnKind",
    "Duplicates",
    "Rule",
    "distinctive",
    "find_duplicates",
    "hashes_with_near",
    "identical_rows",
    "kinds_of",
    "round_to_float32",
    "row_hashes",
    "times_repeated",
]

ColumnKind = Literal["discrete", "numeric", "signal"]
"""What a column holds: categories; numbers, continuous or not; one number of a signal or image."""
Rule = Literal["auto", "drop", "keep"]
RULES: tuple[Rule, ...] = ("auto", "drop", "keep")
"""What to do with identical rows: see `find_duplicates`."""

_BLOCK = 8192
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_SHIFTS = np.array([30, 27, 31], dtype=np.uint64)  # of splitmix64
_FACTORS = np.array([0xBF58476D1CE4E5B9, 0x94D049BB133111EB], dtype=np.uint64)
_NUDGE = 1e-11  # far above float64's rounding, far below that of float32
_CELLS = 10  # a grid has a value in at least every tenth of its cells
_RARE = 0.05  # a value that more rows hold tells little
_FEW = 0.01  # rows that would hold all of some values by chance
_CHANCE = 10_000  # a table that repeats itself by chance is at least this rare
_BEYOND = 10  # times as many identical pairs as chance gives: copies. Real tables reach 1.3
_PAIRS = 20  # fewer identical pairs prove nothing
_TIMES = 3  # a row counts so often at most, so that common ones do not outweigh the rest
_MANY_TIMES, _SEVERAL = 5, 3  # several rows that occur so often are no accident
_COMMON = 0.05  # a share of a table that one row, such as a form left blank, may hold by nature
_MOSTLY = 0.5  # of the identical rows are marked as copies: then all of them are copies
_LOOKED_AT = 8  # columns, those with the most different values


def round_to_float32(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Numbers rounded to the 24 bits of float32, as float64: half to even, as a cast does.

    Zeros of either sign become one value, and so do all NaN. Unlike a cast it keeps numbers
    beyond the range of float32 apart.

    Parameters
    ----------
    values : ndarray of any shape, float64
        The numbers; they are not changed.

    Returns
    -------
    ndarray of the same shape
        The rounded numbers.
    """
    out = np.asarray(values, dtype="<f8") + 0.0  # a copy, with -0.0 turned into 0.0
    out[np.isnan(out)] = np.nan
    bits = out.view(np.uint64)
    half = bits >> np.uint64(29)
    half &= np.uint64(1)
    half += np.uint64(0x0FFFFFFF)
    bits += half
    bits &= np.uint64(0xFFFFFFFFE0000000)
    return out


def row_hashes(values: NDArray[np.float64]) -> NDArray[np.uint64]:
    """A 64-bit hash for each row; rows that are equal after `round_to_float32` have equal hashes.

    The mixer is splitmix64 (Steele, Lea and Flood 2014), column after column, on blocks of rows,
    so that a large table needs little memory. Among a million rows two different ones collide
    with probability 3e-8; this is no defence against someone who builds collisions.

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
        where = slice(start, start + _BLOCK)
        out[where] = _hashes(round_to_float32(values[where]))
    return out


def hashes_with_near(values: NDArray[np.float64]) -> tuple[NDArray[np.uint64], ...]:
    """Hashes of the rows, and of the rows made larger and smaller by 1e-11 of themselves.

    A number that lies just beside the middle between two float32 numbers may be rounded to the
    other one after a change far below the rounding of float32. A row is the same as another if
    its hash, or one of the other two, is the hash of the other.

    Parameters
    ----------
    values : ndarray of shape (n, d), float64
        Encoded rows.

    Returns
    -------
    tuple of three ndarrays of shape (n,), uint64
        The hashes: of the rows, of the larger and of the smaller ones.
    """
    found = tuple(np.empty(len(values), dtype=np.uint64) for _ in range(3))
    for start in range(0, len(values), _BLOCK):
        block = values[start : start + _BLOCK]
        rounded, places = [round_to_float32(block)], []
        for nudge in (1 + _NUDGE, 1 - _NUDGE):  # few rows have a number just beside a middle
            near = round_to_float32(block * nudge)
            places.append((near.view(np.uint64) != rounded[0].view(np.uint64)).any(axis=1))
            rounded.append(near[places[-1]])
        own, *changed = np.split(
            _hashes(np.concatenate(rounded)), np.cumsum([len(part) for part in rounded])[:-1]
        )
        found[0][start : start + _BLOCK] = own
        for out, place, hashes in zip(found[1:], places, changed, strict=True):
            out[start : start + _BLOCK] = own
            out[start : start + _BLOCK][place] = hashes
    return found


def _hashes(rounded: NDArray[np.float64]) -> NDArray[np.uint64]:
    """Of rows that are rounded already, all at once."""
    bits = rounded.T.copy().view(np.uint64)
    h = np.full(bits.shape[1], len(bits), dtype=np.uint64)
    half = np.empty_like(h)
    for column in bits:  # order matters: each column is mixed into all before it
        h ^= column
        h += _GOLDEN
        h ^= np.right_shift(h, _SHIFTS[0], out=half)
        h *= _FACTORS[0]
        h ^= np.right_shift(h, _SHIFTS[1], out=half)
        h *= _FACTORS[1]
        h ^= np.right_shift(h, _SHIFTS[2], out=half)
    return h


@dataclass(frozen=True, eq=False)
class Duplicates:
    """Which rows are copies of others.

    Parameters
    ----------
    first : ndarray of shape (n,), int64
        For each row the place of the first row of which it is a copy; its own where it is none.
    copies : int
        Rows that copy an earlier row: they are no draws of their own.
    coincidences : int
        Rows that are identical to an earlier row and yet count as draws of their own.
    """

    first: NDArray[np.int64]
    copies: int
    coincidences: int

    def rule_for_parts(self, rule: Rule) -> Rule:
        """The rule for a part of these rows, which alone may tell too little: as here, all or none.

        Parameters
        ----------
        rule : {"auto", "drop", "keep"}
            By which these were found.
        """
        return "drop" if self.copies and not self.coincidences else rule


def kinds_of(features: Features, *, signals: bool = False) -> tuple[ColumnKind, ...]:
    """The kind of each encoded column of a table, or of rows that are signals, images or texts.

    Parameters
    ----------
    features : Features
        The columns.
    signals : bool
        Whether the rows are signals or images in the form of a table.
    """
    one: ColumnKind = "signal"
    if signals or features.shape:
        return (one,) * len(features)
    if features.text:
        discrete: ColumnKind = "discrete"
        return (discrete,) * CODES
    return tuple("numeric" if c.kind == "numeric" else "discrete" for c in features.columns)


def find_duplicates(
    values: NDArray[np.float64], kinds: Sequence[ColumnKind], rule: Rule = "auto"
) -> Duplicates:
    """Find identical rows, and tell copies from coincidences.

    Rows are identical if they are equal within the rounding of float32. In discrete columns rows
    coincide by nature, and each is a draw of its own. Identical rows are copies where that cannot
    be: where one of their values, in a continuous column, is in no other row that differs from
    them, or several together are too rare (`distinctive`). Copies tell nothing new, so they count
    once, and all of them belong on one side of a split. Where no value tells, and a table holds
    ten times as many pairs of identical rows as pairs that differ in one column alone explain,
    rows were copied, or some inputs are frequent: a certificate would be wrong in one of the two
    cases, whichever were guessed, so that it must be said.

    Parameters
    ----------
    values : ndarray of shape (n, d), float64
        Encoded rows.
    kinds : sequence of d kinds
        What the columns hold.
    rule : {"auto", "drop", "keep"}
        ``drop`` takes all identical rows for copies, ``keep`` none.

    Returns
    -------
    Duplicates
        Which rows are copies.

    Raises
    ------
    InvalidInput
        If values do not mark all identical rows, and there are far more of them than chance
        gives, or every row occurs a multiple of k times: draws do not do that, and a file written
        k times does.
    """
    if rule not in RULES:
        raise InvalidInput(f"duplicates is {rule!r}.", did_you_mean(str(rule), RULES))
    n, own = len(values), np.arange(len(values))
    label = identical_rows(values)
    place = np.full(label.max() + 1 if n else 0, n)
    np.minimum.at(place, label, own)
    first = place[label]
    repeated = int((first != own).sum())
    if rule == "drop" or not repeated:
        return Duplicates(first, repeated, 0)
    if rule == "keep":
        return Duplicates(own, 0, repeated)
    distinct = np.sort(place)
    marked = np.zeros(n, dtype=np.bool_)
    times = np.bincount(label)[label[distinct]]
    marked[distinct] = distinctive(values[distinct], kinds, times)
    copied = marked[first[first != own]]
    if not copied.all() and _beyond_chance(values, label):
        if copied.mean() >= _MOSTLY:  # where most are copies for sure, so are the others
            return Duplicates(first, repeated, 0)
        _check_repeated_table(np.bincount(label))
        raise InvalidInput(
            f"{repeated:,} of {n:,} rows are identical to another one, far more than columns that"
            " vary each for itself explain, and no value tells copies (oversampling, a bootstrap)"
            " from inputs that are frequent.",
            'Say which: duplicates="drop" if rows were copied, so that each counts once;'
            ' duplicates="keep" if each is a draw of its own, as in a log of requests.',
        )
    first = np.where(marked[first], first, own)
    copies = int((first != own).sum())
    if copies < repeated:
        _check_repeated_table(np.bincount(label))
    return Duplicates(first, copies, repeated - copies)


def identical_rows(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """A number for each row, the same for rows that are equal within the rounding of float32.

    Parameters
    ----------
    values : ndarray of shape (n, d), float64
        Encoded rows; missing (NaN) agrees with missing.

    Returns
    -------
    ndarray of shape (n,), int64
        From 0 on.
    """
    own, *nears = hashes_with_near(values)
    known, label = np.unique(own, return_inverse=True)
    ends: list[NDArray[np.int64]] = []
    for hashes in nears:
        other = np.flatnonzero(hashes != own)
        at = np.minimum(np.searchsorted(known, hashes[other]), len(known) - 1)
        met = known[at] == hashes[other]
        ends.append(np.stack([label[other[met]], at[met]]))
    edges = np.concatenate(ends, axis=1)
    if not edges.shape[1]:
        return np.asarray(label, dtype=np.int64)
    graph = coo_array((np.ones(edges.shape[1]), edges), shape=(len(known), len(known)))
    joined = connected_components(graph, directed=False)[1]
    return np.asarray(joined[label], dtype=np.int64)


def distinctive(
    values: NDArray[np.float64],
    kinds: Sequence[ColumnKind],
    times: NDArray[np.int64] | None = None,
) -> NDArray[np.bool_]:
    """Which of some different rows hold values that mark them: none comes twice by chance.

    A value marks a row if its column is continuous and no other row holds it. A column is
    continuous if it is numeric and its values do not lie on a grid: whole multiples of one
    step, in at least every tenth cell, as counts, codes and rounded numbers do. Several values
    mark a row together, as in a table of measurements with one decimal: those of numeric columns
    that hold other than whole numbers, each in at most 5% of rows, if at those rates less than
    0.01 rows would hold them all. Rows of signals and images are marked unless all their values
    are the same.

    Parameters
    ----------
    values : ndarray of shape (n, d), float64
        Rows, no two of them equal.
    kinds : sequence of d kinds
        What the columns hold.
    times : ndarray of shape (n,), optional
        How often each row occurs; once by default.

    Returns
    -------
    ndarray of shape (n,), bool
        Which rows are marked.
    """
    out = np.zeros(len(values), dtype=np.bool_)
    signal = [j for j, kind in enumerate(kinds) if kind == "signal"]
    if signal:
        shown = values[:, signal]
        out |= (shown != shown[:, :1]).any(axis=1)
    times = np.ones(len(values), dtype=np.int64) if times is None else times
    expected = np.log(np.full(len(values), times.sum(), dtype=np.float64))  # rows like each
    for j in (j for j, kind in enumerate(kinds) if kind == "numeric"):
        column = round_to_float32(values[:, j])
        there = ~np.isnan(column)
        found, at, held = np.unique(column[there], return_inverse=True, return_counts=True)
        if not _on_grid(found):
            out[there] |= held[at] == 1
        if (found != np.rint(found)).any():
            share = np.bincount(at, times[there], minlength=len(found)) / times.sum()
            expected[there] += np.where(share <= _RARE, np.log(share), 0.0)[at]
    return np.asarray(out | (expected < np.log(_FEW)))


def _beyond_chance(values: NDArray[np.float64], label: NDArray[np.int64]) -> bool:
    """Whether far more rows are identical than coincide by chance.

    If column j is left out, D_j more pairs of rows agree. Of pairs that agree in all other
    columns a share of about q_j, the share of all pairs that agree in column j, agrees in it
    too, so that chance gives D_j q_j / (1 - q_j) identical pairs; copies agree in every column.
    Where columns depend on each other, the largest of these numbers over the columns counts.

    So that a few common rows, such as forms answered with "no" throughout, do not outweigh the
    rest, a row is counted three times at most, and the most common one, where it makes up more
    than 5%, not at all. Too few pairs prove nothing, unless several rows occur many times.
    """
    times = np.bincount(label)
    counted = np.minimum(times, _TIMES)
    if times.max() > max(_COMMON * len(label), 2):
        counted[times.argmax()] = times[times.argmax()] = 0
    kept = _place_among_equals(label) < counted[label]
    values, label = values[kept], label[kept]
    identical, total = _pairs(label), len(label) * (len(label) - 1) / 2
    if identical < _PAIRS and int((times >= _MANY_TIMES).sum()) < _SEVERAL:
        return False
    shares = [_pairs(row_hashes(values[:, [j]])) / total for j in range(values.shape[1])]
    looked_at = [j for j in np.argsort(shares) if shares[j] < 0.5][:_LOOKED_AT]
    expected = [
        (_pairs(row_hashes(np.delete(values, j, axis=1))) - identical) * shares[j] / (1 - shares[j])
        for j in looked_at
    ]
    return bool(expected) and identical > _BEYOND * max(expected)


def _place_among_equals(label: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many earlier rows have the same label."""
    order = np.argsort(label, kind="stable")
    times = np.bincount(label)
    out = np.empty(len(label), dtype=np.int64)
    out[order] = np.arange(len(label)) - (np.cumsum(times) - times)[label[order]]
    return out


def _pairs(label: NDArray[Any]) -> float:
    """How many pairs of rows have the same label."""
    held = np.unique(label, return_counts=True)[1].astype(np.float64)
    return float((held * (held - 1) / 2).sum())


def _on_grid(found: NDArray[np.float64]) -> bool:
    """Whether sorted different values are multiples of one step and fill their range."""
    if len(found) <= 2:
        return True
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        cells = (found - found[0]) / np.diff(found).min()
    near = np.abs(cells - np.rint(cells)).max()  # below 0.1: float32 rounds values and step
    return bool(cells[-1] < _CELLS * len(found) and near < 0.1)


def times_repeated(times: NDArray[np.int64]) -> int:
    """The k of which every different row's number of occurrences is a multiple; 1 where chance may.

    Draws do not do that, and a file written k times does.

    Parameters
    ----------
    times : ndarray of shape (m,), int64
        How often each different row occurs.

    Returns
    -------
    int
        1 or k, where numbers drawn at random share the divisor k less than once in 10,000 tables.
    """
    times = times[times > 0]
    k = int(np.gcd.reduce(times)) if len(times) else 1
    return k if k > 1 and (len(times) - 1) * np.log(k) > np.log(_CHANCE) else 1


def _check_repeated_table(times: NDArray[np.int64]) -> None:
    k, rows = times_repeated(times), int((times > 0).sum())
    if k > 1:
        raise InvalidInput(
            f"Each of the {rows:,} different rows occurs {k} times or a multiple of it: the"
            " table was repeated, and its values do not tell copies from coincidences.",
            'Give the table once; or say what identical rows are: duplicates="drop" counts each'
            ' once, duplicates="keep" counts them as draws of their own.',
        )
