"""What all languages share: a formula is walked once, and each language says how parts look."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from limbeck.core.errors import InvalidInput
from limbeck.students.formula import (
    All,
    Any,
    AtLeast,
    AtMost,
    ColumnValue,
    Constant,
    Expression,
    Filled,
    Formula,
    If,
    Is,
    Missing,
    Not,
    Positive,
    Product,
    Sum,
    Test,
    columns_of,
)

__all__ = ["Writer"]


class Writer(ABC):
    """Writes one formula in one language.

    Parameters
    ----------
    formula : Formula
        What a student answers.
    """

    language: ClassVar[str]

    def __init__(self, formula: Formula) -> None:
        self.formula = formula
        self.columns = sorted({j for score in formula.scores for j in columns_of(score)})

    @abstractmethod
    def written(self) -> str:
        """The whole file."""

    @abstractmethod
    def _value(self, column: int) -> str:
        """The encoded value of a column."""

    @abstractmethod
    def _missing(self, column: int) -> str:
        """Whether it is missing."""

    @abstractmethod
    def _choose(self, test: str, yes: str, no: str) -> str:
        """One of two numbers."""

    def _level(self, column: int, value: float) -> str:
        """Whether a column is at a value; by default its encoded number is compared."""
        return f"({self._value(column)} {self.equals} {self._constant(value)})"

    equals: ClassVar[str] = "=="
    joined: ClassVar[tuple[str, str]] = (" && ", " || ")
    false: ClassVar[str] = "0"

    def _constant(self, value: float) -> str:
        """A number that is read back exactly."""
        if not np.isfinite(value):
            raise InvalidInput(
                f"The student holds {value}, which {self.language} cannot hold.", "Export another."
            )
        text = repr(float(value))  # numpy's own numbers print their type as well
        return f"({text})" if value < 0 else text

    def _count(self, test: str) -> str:
        """1 where a test holds, else 0."""
        return self._choose(test, "1", "0")

    def _negated(self, test: str) -> str:
        """Whether a test does not hold."""
        return f"(!{test})"

    def _at_most(self, number: str, value: float) -> str:
        """Whether a number is at most a constant."""
        return f"({number} <= {self._constant(value)})"

    def _number(self, part: Expression) -> str:
        """A number of the formula."""
        match part:
            case Constant(value):
                return self._constant(value)
            case ColumnValue(column):
                return self._value(column)
            case Filled(column, value):
                return self._choose(
                    self._missing(column), self._constant(value), self._value(column)
                )
            case Sum(parts):
                return "(" + " + ".join(self._number(inner) for inner in parts) + ")"
            case Product(inner, factor, divide):
                return f"({self._number(inner)} {'/' if divide else '*'} {self._constant(factor)})"
            case Positive(inner):
                text = self._number(inner)
                return self._choose(f"({text} > {self._constant(0.0)})", text, self._constant(0.0))
            case If(test, yes, no):
                return self._choose(self._test(test), self._number(yes), self._number(no))

    def _test(self, part: Test) -> str:
        """A test of the formula."""
        match part:
            case AtMost(inner, value):
                return self._at_most(self._number(inner), value)
            case Is(column, value):
                return self._level(column, value)
            case Missing(column):
                return self._missing(column)
            case Not(inner):
                return self._negated(self._test(inner))
            case All(tests):
                return self._join(tests, 0)
            case Any(tests):
                return self._join(tests, 1)
            case AtLeast(least, tests):
                total = " + ".join(self._count(self._test(t)) for t in tests)
                return f"(({total}) >= {least})"

    def _join(self, tests: Sequence[Test], how: int) -> str:
        return "(" + self.joined[how].join(self._test(t) for t in tests) + ")"
