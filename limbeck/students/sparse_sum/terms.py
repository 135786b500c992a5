"""The terms of a sum: a column, a hinge, or an AND of conditions, and how many numbers each holds.

Missing values are filled before a term is evaluated: a number or boolean by the median of its
column, a category by no level. Whether a value was missing is a condition of its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Features
from limbeck.core.errors import FileRefused
from limbeck.students.tree.conditions import Condition, quoted
from limbeck.students.tree.text import number
from limbeck.students.tree.thresholds import decimal

__all__ = ["FilledColumns", "SumTerm", "TermTest", "conditions_of", "medians", "term_from_dict"]

Op = Literal["<=", ">", "is", "is not", "missing", "present"]
TermKind = Literal["column", "above", "below", "all"]
Vector = NDArray[np.float64]


@dataclass(frozen=True, order=True)
class TermTest:
    """A condition on one column: ``x <= value``, ``x > value``, a level, or whether x is missing.

    Parameters
    ----------
    column : int
        Its position.
    op : {"<=", ">", "is", "is not", "missing", "present"}
        What is compared; ``is`` and ``is not`` compare the code of a level, or 1 for true.
    value : float
        With what; 0 for the last two.
    """

    column: int
    op: Op
    value: float = 0.0

    @property
    def opposite(self) -> TermTest:
        """The condition that holds where this one does not."""
        ops: dict[Op, Op] = {
            "<=": ">", ">": "<=", "is": "is not", "is not": "is",
            "missing": "present", "present": "missing",
        }  # fmt: skip
        return replace(self, op=ops[self.op])

    def holds(self, columns: FilledColumns) -> NDArray[np.bool_]:
        """Where it holds, of shape (n,)."""
        if self.op in ("missing", "present"):
            found = np.isnan(columns.values[:, self.column])
            return found if self.op == "missing" else ~found
        x = columns.number(self.column)
        if self.op == "<=":
            return np.asarray(x <= self.value)
        if self.op == ">":
            return np.asarray(x > self.value)
        return np.asarray(x == self.value if self.op == "is" else x != self.value)


@dataclass(frozen=True)
class SumTerm:
    """A function of a row, which a sum multiplies by a weight.

    Parameters
    ----------
    kind : {"column", "above", "below", "all"}
        The value x of a column divided by ``per``; by how much x is above or below ``threshold``,
        divided by ``per``, and 0 on the other side (a hinge); or 1 where all tests hold, else 0
        (a step, a level, an AND rule).
    column : int
        The column of the first three.
    threshold : float
        Of a hinge.
    tests : tuple of TermTest
        Of the last.
    per : float
        The step in which a column is counted, such as 10 for "each 10 years".
    """

    kind: TermKind
    column: int = -1
    threshold: float = 0.0
    tests: tuple[TermTest, ...] = ()
    per: float = 1.0

    @property
    def numbers(self) -> int:
        """What a reader must hold beside the weight.

        One for a threshold, one for a step other than 1, and one for each condition of an AND
        rule; a level, a boolean and a missing value have no number.
        """
        if self.kind != "all":
            return int(self.kind != "column") + int(self.per != 1.0)
        if len(self.tests) == 1:
            return int(self.tests[0].op in ("<=", ">"))
        return len(self.tests)

    @property
    def columns(self) -> tuple[int, ...]:
        """The columns it reads, in order."""
        return tuple(sorted({t.column for t in self.tests} or {self.column}))

    def evaluate(self, columns: FilledColumns) -> NDArray[Any]:
        """Its value for each row, of shape (n,); booleans for an AND of tests."""
        if self.kind == "all":
            out = self.tests[0].holds(columns)
            for test in self.tests[1:]:
                out = out & test.holds(columns)
            return out
        x = columns.number(self.column)
        if self.kind == "above":
            x = np.maximum(x - self.threshold, 0.0)
        elif self.kind == "below":
            x = np.maximum(self.threshold - x, 0.0)
        return x / self.per if self.per != 1.0 else x

    def words(self, features: Features) -> str:
        """What it says, such as ``age above 60 years`` or ``sex is male``."""
        if self.kind == "all":
            return " and ".join(c.words() for c in conditions_of(self.tests, features).values())
        feature = features.columns[self.column]
        name = quoted(feature.label)
        if feature.kind == "boolean":
            return f"{name} is true"
        unit = f" {feature.unit}" if feature.unit else ""
        if self.kind != "column":
            name = f"{name} {self.kind} {decimal(self.threshold)}{unit}"
        if self.per != 1.0:
            return f"{name} in steps of {number(self.per)}{unit}"
        return f"{name} in{unit}" if unit and self.kind == "column" else name

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        if self.kind == "all":
            return {"kind": "all", "tests": [[t.column, t.op, t.value] for t in self.tests]}
        head: dict[str, Any] = {"kind": self.kind, "column": self.column, "per": self.per}
        return head if self.kind == "column" else {**head, "threshold": self.threshold}


def term_from_dict(data: Any, features: Features) -> SumTerm:
    """Read what `SumTerm.to_dict` gave.

    Parameters
    ----------
    data : dict
        Content of a file.
    features : Features
        The d columns.

    Raises
    ------
    FileRefused
        If it is malformed, or speaks of a column that is not there.
    """
    kind = data["kind"]
    if kind not in get_args(TermKind):
        raise FileRefused(f"There is no kind of term {kind!r}.", "Save the student again.")
    if kind != "all":
        per = float(data["per"])
        term = SumTerm(kind, data["column"], float(data.get("threshold", 0.0)), (), per)
        sound = math.isfinite(term.threshold) and math.isfinite(per) and per > 0
        at = [term.column]
        sound = sound and features.columns[_position(term.column, features)].kind != "categorical"
    else:
        tests = tuple(TermTest(j, op, float(value)) for j, op, value in data["tests"])
        term = SumTerm("all", tests=tests)
        at = [t.column for t in tests]
        sound = bool(tests) and all(_fits(t, features) for t in tests)
    for j in at:
        _position(j, features)
    if not sound:
        raise FileRefused(f"The term {data!r} is malformed.", "Save the student again.")
    return term


def _fits(test: TermTest, features: Features) -> bool:
    """Whether its column can be asked that: numbers are compared, levels and booleans are not."""
    feature = features.columns[_position(test.column, features)]
    if test.op in ("missing", "present"):
        return True
    if test.op in ("<=", ">"):
        return feature.kind != "categorical" and math.isfinite(test.value)
    levels = range(len(feature.levels)) if feature.kind == "categorical" else (0, 1)
    return test.op in get_args(Op) and feature.kind != "numeric" and test.value in levels


class FilledColumns:
    """Encoded rows, whose columns are read one by one with missing values filled.

    Parameters
    ----------
    values : ndarray of shape (n, d)
        Encoded rows, NaN where missing.
    fill : ndarray of shape (d,)
        What a missing number counts as; NaN for categories, which equals no level.
    """

    def __init__(self, values: Vector, fill: Vector) -> None:
        self.values, self.fill = values, fill
        self._read: dict[int, Vector] = {}

    def number(self, j: int) -> Vector:
        """Column ``j`` without missing values, of shape (n,); do not write to it."""
        if j not in self._read:
            x = np.ascontiguousarray(self.values[:, j])
            lacking = np.isnan(x)
            if lacking.any():
                x = np.where(lacking, self.fill[j], x)
            self._read[j] = x
        return self._read[j]


def medians(features: Features, values: Vector) -> Vector:
    """What a missing value of each column counts as, of shape (d,).

    Parameters
    ----------
    features : Features
        The d columns.
    values : ndarray of shape (n, d)
        Encoded rows.

    Returns
    -------
    ndarray of shape (d,)
        The lower median of what is there, 0 where nothing is; NaN for categories.
    """
    out = np.full(len(features), np.nan)
    for j, feature in enumerate(features.columns):
        if feature.kind != "categorical":
            x = values[:, j]
            seen = x[~np.isnan(x)]
            middle = (len(seen) - 1) // 2
            out[j] = np.partition(seen, middle)[middle] if len(seen) else 0.0
    return out


def conditions_of(tests: Sequence[TermTest], features: Features) -> dict[int, Condition]:
    """One condition for each column that is tested, in the order in which columns come.

    Parameters
    ----------
    tests : sequence of TermTest
        All of which hold.
    features : Features
        The d columns.
    """
    found: dict[int, Condition] = {}
    for t in tests:
        c = found.get(t.column, Condition(features.columns[t.column]))
        if c.feature.kind == "boolean" and t.op in ("is", "is not"):
            true = (t.value == 1.0) == (t.op == "is")
            c = replace(c, low=0.5) if true else replace(c, high=0.5)
        elif t.op == "<=":
            c = replace(c, high=min(c.high, t.value))
        elif t.op == ">":
            c = replace(c, low=max(c.low, t.value))
        elif t.op == "is":
            c = replace(c, codes=frozenset({t.value}), missing=False)
        elif t.op == "is not":
            c = replace(c, without=c.without | {t.value})
        elif t.op == "missing":
            c = replace(c, present=False)
        else:
            c = replace(c, missing=False)
        found[t.column] = c
    return found


def _position(j: Any, features: Features) -> int:
    if not isinstance(j, int) or isinstance(j, bool) or not 0 <= j < len(features):
        raise FileRefused(f"There is no column {j!r}.", "Save the student again.")
    return j
