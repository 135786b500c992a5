"""A budget: the rows that theory asks for, as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Budget", "BudgetRow"]

_NOTES = (
    "Perfect: the teacher equals a member of the class, on every input. Choosing it then costs no"
    " rows; these check it.",
    "An upper bound suffices, and fewer rows may do. With fewer than a lower bound every learner"
    " that draws no random numbers of its own fails for some teacher and distribution.",
)


_AT = {"upper": "at most ", "lower": "at least"}


@dataclass(frozen=True)
class BudgetRow:
    """A task, a number of rows for it, and why.

    Parameters
    ----------
    task : str
        What is done.
    n : int
        Rows.
    formula, source : str
        Where the number comes from.
    bound : {"upper", "lower"}
        So many rows suffice; or no learner does with fewer, for every member of the class and
        every distribution.
    """

    task: str
    n: int
    formula: str
    source: str
    bound: str = "upper"


@dataclass(frozen=True)
class Budget:
    """Bounds on the rows that are needed, for a class of students.

    Parameters
    ----------
    into : str
        The class in words.
    epsilon, delta : float
        Error allowed, and the probability that it is exceeded.
    log2_size : float or None
        Binary logarithm of a bound on the number of functions in the class; None where it is
        infinite.
    vc_least : int
        The VC dimension is at least this.
    vc : int or None
        VC dimension, where it is known.
    rows : tuple of BudgetRow
        Distilling first, then learning.
    """

    into: str
    epsilon: float
    delta: float
    log2_size: float | None
    vc_least: int
    vc: int | None
    rows: tuple[BudgetRow, ...]

    def text(self) -> str:
        """The budget as a table of plain text."""
        widths = (max(len(r.task) for r in self.rows), max(len(f"{r.n:,}") for r in self.rows))
        lines = [self._title()]
        lines += [
            f"  {r.task:<{widths[0]}}  {_AT[r.bound]} {r.n:>{widths[1]},} rows   {r.formula}"
            f"   ({r.source})"
            for r in self.rows
        ]
        return "\n".join([*lines, *_NOTES])

    __str__ = text

    def __rich__(self) -> Any:
        from rich.table import Table  # only where a terminal draws it

        table = Table(
            title=self._title(),
            title_justify="left",
            caption="\n".join(_NOTES),
            caption_justify="left",
        )
        table.add_column("task")
        table.add_column("bound")
        table.add_column("rows", justify="right")
        table.add_column("formula")
        table.add_column("source")
        for r in self.rows:
            table.add_row(r.task, r.bound, f"{r.n:,}", r.formula, r.source)
        return table

    def _title(self) -> str:
        size = "" if self.log2_size is None else f", at most 2^{self.log2_size:.1f} functions"
        vc = f"at least {self.vc_least}" if self.vc is None else str(self.vc)
        return (
            f"Into {self.into}{size}, VC dimension {vc};"
            f" epsilon {self.epsilon:g}, delta {self.delta:g}"
        )
