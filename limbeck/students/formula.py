"""A student as a formula over columns, which `limbeck.export` writes in other languages.

A formula is a tree of numbers and tests. Columns are encoded as everywhere: a number as it is,
booleans as 0 and 1, a category as the position of its level, missing as NaN. A comparison with a
missing value is false, as in IEEE 754; ``Missing`` asks for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax

from limbeck.core.columns import Features
from limbeck.core.task import Task

__all__ = [
    "All", "Any", "AtLeast", "AtMost", "ColumnValue", "Constant", "Expression", "Filled",
    "Formula", "If", "Is", "Missing", "Not", "Positive", "Product", "Sum", "Test", "columns_of",
    "stepped",
]  # fmt: skip

Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Constant:
    """A number."""

    value: float


@dataclass(frozen=True)
class ColumnValue:
    """The encoded value of a column; NaN where it is missing."""

    column: int


@dataclass(frozen=True)
class Filled:
    """The value of a column, or ``value`` where it is missing."""

    column: int
    value: float


@dataclass(frozen=True)
class Sum:
    """Numbers added up from left to right, so that rounding is the same everywhere."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True)
class Product:
    """A number times a constant, or divided by it."""

    part: Expression
    factor: float
    divide: bool = False


@dataclass(frozen=True)
class Positive:
    """A number, and 0 where it is negative."""

    part: Expression


@dataclass(frozen=True)
class If:
    """One number where a test holds, else another."""

    test: Test
    yes: Expression
    no: Expression


@dataclass(frozen=True)
class AtMost:
    """Whether a number is at most a constant; false where it is missing."""

    part: Expression
    value: float


@dataclass(frozen=True)
class Is:
    """Whether a category is at one of its levels, or a boolean or number is a value."""

    column: int
    value: float


@dataclass(frozen=True)
class Missing:
    """Whether the value of a column is missing; a level that training never saw is."""

    column: int


@dataclass(frozen=True)
class Not:
    """Whether a test does not hold."""

    test: Test


@dataclass(frozen=True)
class All:
    """Whether all tests hold."""

    tests: tuple[Test, ...]


@dataclass(frozen=True)
class Any:
    """Whether one of the tests holds."""

    tests: tuple[Test, ...]


@dataclass(frozen=True)
class AtLeast:
    """Whether at least so many tests hold."""

    count: int
    tests: tuple[Test, ...]


Expression = Constant | ColumnValue | Filled | Sum | Product | Positive | If
Test = AtMost | Is | Missing | Not | All | Any | AtLeast


@dataclass(frozen=True, eq=False)
class Formula:
    """How a student answers.

    Parameters
    ----------
    features : Features
        The d columns.
    task : Task
        What is predicted.
    scores : tuple of expression
        One number for each output; or, where there is a ``table``, the position of a row of it.
    link : {"value", "logistic", "softmax", "shares"}
        What scores are: values; the log-odds of the last class (its label where above 0); scores
        whose softmax are the probabilities; the probabilities themselves. The label is the first of
        the largest.
    table : ndarray of shape (p, k), optional
        Values of p pieces, of which the only score says which one.
    """

    features: Features
    task: Task
    scores: tuple[Expression, ...]
    link: Literal["value", "logistic", "softmax", "shares"]
    table: NDArray[np.float64] | None = None

    def outputs(self, values: Vector) -> Vector:
        """Values or probabilities of encoded rows (n, d), of shape (n, k): what exports equal.

        Parameters
        ----------
        values : ndarray of shape (n, d)
            Encoded rows.
        """
        found = np.column_stack([_number(score, values) for score in self.scores])
        if self.table is not None:
            return np.asarray(self.table[found[:, 0].astype(np.int64)])
        if self.link == "logistic":
            share = expit(found[:, 0])
            single = len(self.task.classes) == 1
            return np.ones((len(share), 1)) if single else np.column_stack([1 - share, share])
        return np.asarray(softmax(found, axis=1)) if self.link == "softmax" else found

    def positions(self, values: Vector) -> NDArray[np.int64]:
        """The position of the class of each row, of shape (n,).

        Parameters
        ----------
        values : ndarray of shape (n, d)
            Encoded rows.
        """
        found = np.column_stack([_number(score, values) for score in self.scores])
        if self.table is not None:
            return np.asarray(self.table.argmax(axis=1)[found[:, 0].astype(np.int64)])
        if self.link == "logistic":
            return np.where(found[:, 0] > 0, len(self.task.classes) - 1, 0)
        return np.asarray(found.argmax(axis=1))


def columns_of(part: Expression | Test) -> Iterator[int]:
    """The columns that a formula reads, as often as it does.

    Parameters
    ----------
    part : expression or test
        The formula, or a part of it.
    """
    for field in fields(part):
        value = getattr(part, field.name)
        if field.name == "column":
            yield value
        for inner in value if isinstance(value, tuple) else (value,):
            if hasattr(inner, "__dataclass_fields__"):
                yield from columns_of(inner)


def _number(part: Expression, values: Vector) -> Vector:
    match part:
        case Constant(value):
            return np.full(len(values), value)
        case ColumnValue(column):
            return values[:, column]
        case Filled(column, value):
            x = values[:, column]
            return np.where(np.isnan(x), value, x)
        case Sum(parts):
            out = np.zeros(len(values))
            for i, inner in enumerate(parts):
                out = out + _number(inner, values) if i else _number(inner, values)
            return out
        case Product(inner, factor, divide):
            x = _number(inner, values)
            return x / factor if divide else x * factor
        case Positive(inner):
            return np.maximum(_number(inner, values), 0.0)
        case If(test, yes, no):
            return np.where(_holds(test, values), _number(yes, values), _number(no, values))


def _holds(test: Test, values: Vector) -> Mask:
    match test:
        case AtMost(part, value):
            return np.asarray(_number(part, values) <= value)
        case Is(column, value):
            return np.asarray(values[:, column] == value)
        case Missing(column):
            return np.isnan(values[:, column])
        case Not(inner):
            return ~_holds(inner, values)
        case All(tests):
            every = np.ones(len(values), dtype=np.bool_)  # of no test too
            return np.asarray(np.all([every, *(_holds(t, values) for t in tests)], axis=0))
        case Any(tests):
            none = np.zeros(len(values), dtype=np.bool_)
            return np.asarray(np.any([none, *(_holds(t, values) for t in tests)], axis=0))
        case AtLeast(count, tests):
            return np.asarray(sum(_holds(t, values).astype(int) for t in tests) >= count)


def stepped(part: Expression, edges: Sequence[float], between: Sequence[Expression]) -> Expression:
    """One of several numbers, by the edges between which a value lies; found by halving.

    Parameters
    ----------
    part : expression
        The value.
    edges : sequence of float
        In rising order; a value that equals an edge lies before it.
    between : sequence of expression
        What stands before the first edge, between each two, and behind the last; more are left
        out.
    """
    if not len(edges):
        return between[0]
    half = len(edges) // 2
    return If(
        AtMost(part, float(edges[half])),
        stepped(part, edges[:half], between[: half + 1]),
        stepped(part, edges[half + 1 :], between[half + 1 :]),
    )
