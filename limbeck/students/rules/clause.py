"""Clauses: conditions on different columns that must all hold, and which rows satisfy them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Features
from limbeck.students.tree.conditions import Condition
from limbeck.students.tree.thresholds import midway, printed

__all__ = ["Clause", "Neighbours", "first_true", "test"]

Matrix = NDArray[np.float64]
Truth = NDArray[np.bool_]


@dataclass(frozen=True)
class Neighbours:
    """The values of the training rows on both sides of a threshold; equal where not known.

    Any threshold from ``below`` up to but not including ``above`` says the same of these rows.
    """

    below: float
    above: float


@dataclass(frozen=True)
class Clause:
    """Conditions that must all hold; none of them is always true.

    A condition on a missing value is false unless it says that missing values come through.

    Parameters
    ----------
    columns : tuple of int
        The positions of the columns, each once.
    conditions : tuple of Condition
        What each of them must satisfy.
    low, high : tuple of Neighbours or None
        What the training rows held next to the lower and the upper limit of each condition; None
        where there is no limit, or it is not known.
    """

    columns: tuple[int, ...]
    conditions: tuple[Condition, ...]
    low: tuple[Neighbours | None, ...]
    high: tuple[Neighbours | None, ...]

    @classmethod
    def of(cls, conditions: Mapping[int, Condition]) -> Clause:
        """A clause of conditions by column, of which no neighbours are known."""
        none = (None,) * len(conditions)
        return cls(tuple(conditions), tuple(conditions.values()), none, none)

    @property
    def numbers(self) -> int:
        """How many thresholds and levels a reader must hold; being missing counts as one."""
        return sum(map(_numbers, self.conditions))

    def holds(self, values: Matrix) -> Truth:
        """Which of the encoded rows (n, d) satisfy all conditions, shape (n,)."""
        out = np.ones(len(values), dtype=np.bool_)
        for j, condition in zip(self.columns, self.conditions, strict=True):
            out &= test(condition, values[:, j])
        return out

    def settled(self, values: Matrix) -> Clause:
        """The same clause with limits midway between the values of rows, which it remembers.

        No row changes sides: each limit is moved among the rows that satisfy what stands before
        it; see :func:`limbeck.students.tree.thresholds.midway`.

        Parameters
        ----------
        values : ndarray of shape (n, d)
            All rows that ask this clause.
        """
        made, lows, highs = [], [], []
        for j, condition in zip(self.columns, self.conditions, strict=True):
            x = values[:, j]
            low, a = _moved(condition.low, x)
            high, b = _moved(condition.high, x[~(x <= condition.low)])
            if not low < high:  # no row lies between
                low, high, a, b = condition.low, condition.high, None, None
            made.append(replace(condition, low=low, high=high))
            lows.append(a)
            highs.append(b)
            values = values[test(condition, x)]
        return Clause(self.columns, tuple(made), tuple(lows), tuple(highs))

    def as_printed(self, digits: int | None = None, exact: bool = False) -> Clause:
        """With the shortest decimals that say the same of the training rows.

        Parameters
        ----------
        digits : int, optional
            At least so many significant digits.
        exact : bool
            Keep the limits as they are.
        """
        shown = [
            replace(
                c,
                low=_short(c.low, low, digits, exact),
                high=_short(c.high, high, digits, exact),
            )
            for c, low, high in zip(self.conditions, self.low, self.high, strict=True)
        ]
        return replace(self, conditions=tuple(shown))

    def words(self) -> str:
        """The conditions in words, joined by "and"; empty if there are none."""
        return " and ".join(c.words(missing=True) for c in self.conditions)

    def to_list(self) -> list[dict[str, Any]]:
        """What :meth:`from_list` reads, ready for JSON."""
        return [
            {
                "column": j,
                "low": None if math.isinf(c.low) else c.low,
                "high": None if math.isinf(c.high) else c.high,
                "codes": None if c.codes is None else sorted(c.codes),
                "without": sorted(c.without),
                "present": c.present,
                "missing": c.missing,
                "low_seen": None if low is None else [low.below, low.above],
                "high_seen": None if high is None else [high.below, high.above],
            }
            for j, c, low, high in zip(
                self.columns, self.conditions, self.low, self.high, strict=True
            )
        ]

    @classmethod
    def from_list(cls, listed: Sequence[Mapping[str, Any]], features: Features) -> Clause:
        """Read what :meth:`to_list` gave.

        Parameters
        ----------
        listed : sequence of mapping
            A condition each.
        features : Features
            The columns.

        Raises
        ------
        KeyError, TypeError, ValueError
            If a field is lacking or wrong.
        """
        columns = tuple(entry["column"] for entry in listed)
        known = range(len(features))
        if len(set(columns)) < len(columns) or not all(
            type(j) is int and j in known for j in columns
        ):
            raise ValueError(f"a rule needs different columns below {len(features)}")
        conditions = tuple(
            _read(entry, features, j) for entry, j in zip(listed, columns, strict=True)
        )
        low = tuple(
            _neighbours(e["low_seen"], c.low) for e, c in zip(listed, conditions, strict=True)
        )
        high = tuple(
            _neighbours(e["high_seen"], c.high) for e, c in zip(listed, conditions, strict=True)
        )
        return cls(columns, conditions, low, high)


def test(condition: Condition, x: NDArray[np.float64]) -> Truth:
    """Which values of a column (n,) satisfy a condition, in the fewest array operations.

    Parameters
    ----------
    condition : Condition
        On this column.
    x : ndarray of shape (n,)
        Encoded values; NaN is missing.
    """
    c = condition
    if not c.present:
        return np.isnan(x) if c.missing else np.zeros(len(x), dtype=np.bool_)
    out: Truth | None = None
    # Comparisons with NaN are false: what is tested for, or its contrary, lets NaN through.
    if c.low > -math.inf:
        out = ~(x <= c.low) if c.missing else x > c.low
    if c.high < math.inf:
        below = ~(x > c.high) if c.missing else x <= c.high
        out = below if out is None else np.logical_and(out, below, out=out)
    if c.codes is not None:
        among = np.zeros(len(x), dtype=np.bool_)
        for code in c.codes:
            among |= x == code
        out = among if out is None else out & among
        if c.missing:
            out |= np.isnan(x)
    for code in c.without:
        other = x != code  # true for NaN
        out = other if out is None else np.logical_and(out, other, out=out)
    if c.missing:
        return np.ones(len(x), dtype=np.bool_) if out is None else out
    if out is None or (c.without and c.codes is None):
        there = ~np.isnan(x)
        return there if out is None else np.logical_and(out, there, out=out)
    return out


def first_true(clauses: Sequence[Clause], values: Matrix) -> NDArray[np.intp]:
    """The position of the first clause that each row (n, d) satisfies; their number if none.

    Parameters
    ----------
    clauses : sequence of Clause
        In order.
    values : ndarray of shape (n, d)
        Encoded rows.
    """
    columns = {j: np.ascontiguousarray(values[:, j]) for c in clauses for j in c.columns}
    found = np.full(len(values), len(clauses), dtype=np.intp)
    for i in range(len(clauses) - 1, -1, -1):
        clause, hit = clauses[i], None
        for j, condition in zip(clause.columns, clause.conditions, strict=True):
            true = test(condition, columns[j])
            hit = true if hit is None else np.logical_and(hit, true, out=hit)
        np.copyto(found, i, where=True if hit is None else hit)
    return found


def _numbers(c: Condition) -> int:
    if not c.present:
        return 1
    levels = 0
    if c.feature.kind == "categorical":  # as many as are printed
        left = len(c.feature.levels) - len(c.without)
        levels = len(c.codes) if c.codes is not None else min(len(c.without), left)
    limits = (c.low > -math.inf) + (c.high < math.inf)
    return max(limits + levels, 1)


def _moved(limit: float, x: NDArray[np.float64]) -> tuple[float, Neighbours | None]:
    """A limit midway between its neighbours among values; itself where there are none."""
    if math.isinf(limit):
        return limit, None
    below, above = x[x <= limit], x[x > limit]
    low, high = float(below.max(initial=-math.inf)), float(above.min(initial=math.inf))
    if math.isinf(low) or math.isinf(high):
        if float(np.float32(low)) <= limit < float(np.float32(high)):
            return limit, None  # float32 copies of all rows go the same way
        low, high = (_beside(high, low), high) if math.isinf(low) else (low, _beside(low, high))
    return float(midway(low, high)), Neighbours(low, high)


def _beside(value: float, towards: float) -> float:
    """A float32 number beyond a value's own."""
    return float(np.nextafter(np.float32(value), np.float32(towards)))


def _short(limit: float, seen: Neighbours | None, digits: int | None, exact: bool) -> float:
    if seen is None or math.isinf(limit):
        return limit
    return printed(limit, seen.below, seen.above, digits, exact)


def _read(entry: Mapping[str, Any], features: Features, j: int) -> Condition:
    feature = features.columns[j]
    low = -math.inf if entry["low"] is None else float(entry["low"])
    high = math.inf if entry["high"] is None else float(entry["high"])
    codes = None if entry["codes"] is None else frozenset(map(float, entry["codes"]))
    without = frozenset(map(float, entry["without"]))
    present, missing = entry["present"], entry["missing"]
    if not (isinstance(present, bool) and isinstance(missing, bool)):
        raise TypeError("present and missing must be true or false")
    if math.isnan(low) or math.isnan(high) or low >= high:
        raise ValueError(f"no value lies above {low} and up to {high}")
    if any(code not in range(len(feature.levels)) for code in (codes or frozenset()) | without):
        raise ValueError(f"column {feature.name!r} has no such level")
    return Condition(feature, low, high, codes, without, present, missing)


def _neighbours(pair: Any, limit: float) -> Neighbours | None:
    if pair is None:
        return None
    below, above = map(float, pair)
    if not (math.isfinite(below) and math.isfinite(above) and below <= limit < above):
        raise ValueError("a limit lies outside of the values seen on both sides of it")
    return Neighbours(below, above)
