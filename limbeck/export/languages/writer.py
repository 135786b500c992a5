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
    def value(self, column: int) -> str:
        """The encoded value of a column."""

    @abstractmethod
    def missing(self, column: int) -> str:
        """Whether it is missing."""

    @abstractmethod
    def choose(self, test: str, yes: str, no: str) -> str:
        """One of two numbers."""

    def level(self, column: int, value: float) -> str:
        """Whether a column is at a value; by default its encoded number is compared."""
        return f"({self.value(column)} {self.equals} {self.constant(value)})"

    equals: ClassVar[str] = "=="
    joined: ClassVar[tuple[str, str]] = (" && ", " || ")
    false: ClassVar[str] = "0"

    def constant(self, value: float) -> str:
        """A number that is read back exactly."""
        if not np.isfinite(value):
            raise InvalidInput(
                f"The student holds {value}, which {self.language} cannot hold.", "Export another."
            )
        return f"({value!r})" if value < 0 else repr(float(value))

    def count(self, test: str) -> str:
        """1 where a test holds, else 0."""
        return self.choose(test, "1", "0")

    def negated(self, test: str) -> str:
        """Whether a test does not hold."""
        return f"(!{test})"

    def at_most(self, number: str, value: float) -> str:
        """Whether a number is at most a constant."""
        return f"({number} <= {self.constant(value)})"

    def number(self, part: Expression) -> str:
        """A number of the formula."""
        match part:
            case Constant(value):
                return self.constant(value)
            case ColumnValue(column):
                return self.value(column)
            case Filled(column, value):
                return self.choose(self.missing(column), self.constant(value), self.value(column))
            case Sum(parts):
                return "(" + " + ".join(self.number(inner) for inner in parts) + ")"
            case Product(inner, factor, divide):
                return f"({self.number(inner)} {'/' if divide else '*'} {self.constant(factor)})"
            case Positive(inner):
                text = self.number(inner)
                return self.choose(f"({text} > {self.constant(0.0)})", text, self.constant(0.0))
            case If(test, yes, no):
                return self.choose(self.test(test), self.number(yes), self.number(no))

    def test(self, part: Test) -> str:
        """A test of the formula."""
        match part:
            case AtMost(inner, value):
                return self.at_most(self.number(inner), value)
            case Is(column, value):
                return self.level(column, value)
            case Missing(column):
                return self.missing(column)
            case Not(inner):
                return self.negated(self.test(inner))
            case All(tests):
                return self._join(tests, 0)
            case Any(tests):
                return self._join(tests, 1)
            case AtLeast(least, tests):
                total = " + ".join(self.count(self.test(t)) for t in tests)
                return f"(({total}) >= {least})"

    def _join(self, tests: Sequence[Test], how: int) -> str:
        return "(" + self.joined[how].join(self.test(t) for t in tests) + ")"
