"""One table, declared once and drawn three ways: in a terminal, on a page, and as a DataFrame.

A column says how a cell is made from a row; what it looks like follows from its value. So a new
column is one more `Column`, in one place.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from numbers import Integral, Real
from typing import Any, Generic, Literal, TypeVar

import numpy as np
from rich import box
from rich.table import Table as RichTable
from rich.text import Text

from limbeck.core.measured import Measured
from limbeck.core.printable import visible
from limbeck.reports.charts import axis, bar, whisker, whisker_scale
from limbeck.reports.markup import Child, Html, join, table, tag
from limbeck.reports.numbers import NONE, count, decimal
from limbeck.reports.scales import Scale

__all__ = ["Column", "Drawing", "Table"]

Row = TypeVar("Row")


@dataclass(frozen=True)
class Drawing:
    """What is drawn beside the numbers of a column, on pages.

    Parameters
    ----------
    kind : {"interval", "bar"}
        A dot with its interval, for cells that are `Measured`; or a bar from 0.
    group : str
        Columns of one group share a scale; by default each has its own.
    top : float, optional
        The end of the scale of intervals at most, and of bars exactly; by default the largest
        value.
    zero : bool
        Whether the scale of intervals reaches to zero.
    where : callable, optional
        From a row to whether its cell is drawn; by default all are.
    """

    kind: Literal["interval", "bar"] = "interval"
    group: str = ""
    top: float | None = None
    zero: bool = False
    where: Callable[[Any], bool] | None = None


@dataclass(frozen=True)
class Column(Generic[Row]):
    """One column: where its values come from, and how they are written.

    Parameters
    ----------
    name : str
        Of the column in the data frame; `Measured` values take three, with ``_low`` and ``_high``.
    value : callable
        From a row to text, a number, a truth value, a `Measured`, or None.
    heading : str, optional
        What readers see, by default the name; a line break in it counts in terminals only.
    format : callable, optional
        From a value (of a `Measured`, each of its three numbers) to text. By default whole numbers
        have commas, and others three decimals.
    align : {"left", "right"}
        Where cells are flush.
    unit : str
        Stands in the heading, and in ``attrs["units"]`` of the data frame.
    drawing : Drawing, optional
        Drawn below the number, on pages.
    under : str
        The name of another column, in whose cells the text of this one stands as a second line;
        in the data frame it is a column of its own.
    instead : callable, optional
        From a row to what is written where there is no value; a dash by default.
    mark : callable, optional
        From a row to whether a star follows the cell.
    wrap : bool
        Whether long texts are broken; others are never cut.
    brief : bool
        Whether a terminal leaves the interval out.
    optional : bool
        Whether the column is left out where no row has a value.
    page_only : bool
        Whether a terminal has no room for it.
    """

    name: str
    value: Callable[[Row], Any]
    heading: str = ""
    format: Callable[[Any], str] | None = None
    align: Literal["left", "right"] = "left"
    unit: str = ""
    drawing: Drawing | None = None
    under: str = ""
    instead: Callable[[Row], str] | None = None
    mark: Callable[[Row], bool] | None = None
    wrap: bool = False
    brief: bool = False
    optional: bool = False
    page_only: bool = False

    @property
    def title(self) -> str:
        """The heading with its unit."""
        return (self.heading or self.name) + (f" ({self.unit})" if self.unit else "")

    def known(self, row: Row) -> Any:
        """The value of a row; None where it is not a finite number."""
        value = self.value(row)
        number = value.value if isinstance(value, Measured) else value
        return None if isinstance(number, Real) and not math.isfinite(number) else value

    def texts(self, row: Row) -> tuple[str, str]:
        """The cell of a row as text, and its interval."""
        value, write = self.known(row), self.format or _usual
        star = "*" if self.mark is not None and self.mark(row) else ""
        if value is None:
            return (NONE if self.instead is None else self.instead(row)) + star, ""
        if isinstance(value, Measured):
            known = math.isfinite(value.low) and math.isfinite(value.high)
            between = f"[{write(value.low)}, {write(value.high)}]" if known else ""
            return write(value.value) + star, between
        return write(value) + star, ""


@dataclass(frozen=True)
class Table(Generic[Row]):
    """Rows under columns.

    Parameters
    ----------
    caption : str
        What the table shows.
    columns : sequence of Column
        In reading order; the first names the row.
    rows : sequence
        What the columns take their values from.
    notes : sequence of str
        Sentences below it.
    strong : callable, optional
        From a row to whether it stands out on pages.
    style : callable, optional
        From a row to its style in a terminal, such as ``bold``.
    stacked : bool
        Whether intervals and second texts stand in lines of their own in a terminal.
    """

    caption: str
    columns: Sequence[Column[Row]]
    rows: Sequence[Row]
    notes: Sequence[str] = ()
    strong: Callable[[Row], bool] | None = None
    style: Callable[[Row], str] | None = None
    stacked: bool = False

    @cached_property
    def shown(self) -> tuple[Column[Row], ...]:
        """The columns that have something to show."""
        return tuple(
            c
            for c in self.columns
            if not c.optional or any(c.known(row) is not None for row in self.rows)
        )

    def to_rich(self) -> RichTable:
        """The table for a terminal."""
        drawn = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True,
                          show_edge=False)  # fmt: skip
        columns = [c for c in self.shown if not c.under and not c.page_only]
        for c in columns:
            drawn.add_column(
                Text(c.title), justify=c.align, no_wrap=not c.wrap,
                overflow="fold" if c.wrap else "ellipsis",
            )  # fmt: skip
        for row in self.rows:
            # Text, not str: a name may hold what rich takes for markup.
            cells = [Text(visible(self._line(c, row))) for c in columns]
            drawn.add_row(*cells, style=self.style(row) if self.style else "")
        return drawn

    def to_html(self) -> Html:
        """The table for a page, with its drawings and the axes under them."""
        columns = [c for c in self.shown if not c.under]
        strong = [bool(self.strong and self.strong(row)) for row in self.rows]
        rows = [
            [self._cell(c, row, own) for c in columns]
            for row, own in zip(self.rows, strong, strict=True)
        ]
        foot = [axis(self._scales[c.name]) if c.name in self._scales else "" for c in columns]
        return table(
            self.caption,
            [c.title.replace("\n", " ") for c in columns],
            rows,
            strong=strong,
            foot=foot if any(foot) else (),
            numbers=[i for i, c in enumerate(columns) if c.align == "right"],
        )

    def to_frame(self) -> Any:
        """The table as a `pandas.DataFrame`: numbers as numbers, what is not known as missing.

        Returns
        -------
        DataFrame
            A row for each row; ``attrs`` holds the caption and the units.
        """
        import pandas as pd

        data: dict[str, list[Any]] = {}
        for c in self.shown:
            values = [c.known(row) for row in self.rows]
            if any(isinstance(v, Measured) for v in values):
                for ending, part in (("", "value"), ("_low", "low"), ("_high", "high")):
                    data[c.name + ending] = [_part(v, part) for v in values]
            else:
                data[c.name] = values
        frame = pd.DataFrame(data)
        frame.attrs = {"caption": self.caption, "units": {c.name: c.unit for c in self.shown
                                                          if c.unit}}  # fmt: skip
        return frame

    def _under(self, c: Column[Row], row: Row) -> list[str]:
        below = [b for b in self.shown if b.under == c.name and b.known(row) is not None]
        return [" ".join(filter(None, b.texts(row))) for b in below]

    def _line(self, c: Column[Row], row: Row) -> str:
        said, between = c.texts(row)
        parts = [said, "" if c.brief else between, *self._under(c, row)]
        return ("\n" if self.stacked else " ").join(filter(None, parts))

    def _cell(self, c: Column[Row], row: Row, strong: bool) -> Child:
        said, between = c.texts(row)
        value = c.known(row)
        parts: list[Child] = [tag("span", said, class_="name") if c.wrap else said]
        for more, kind in [(between, "range"), *((b, "under") for b in self._under(c, row))]:
            parts += [Html(" "), tag("span", more, class_=kind)] if more else []
        if c.drawing is not None and value is not None and _draws(c.drawing, row):
            if isinstance(value, Measured) and between:
                scale = self._scales[c.name]
                parts.append(whisker(value.value, value.low, value.high, scale, strong))
            elif c.drawing.kind == "bar":
                parts.append(bar(float(value) / self._tops[c.name]))
        return join(parts)

    @cached_property
    def _scales(self) -> dict[str, Scale]:
        """By column that draws intervals: the scale that its group shares."""
        found = {}
        for c in self._drawing("interval"):
            measured = [v for v in self._alike(c) if isinstance(v, Measured)]
            ends = [v for m in measured for v in (m.low, m.high, m.value)]
            if ends and c.drawing is not None:
                zero = [0.0] * c.drawing.zero
                found[c.name] = whisker_scale([*ends, *zero], top=c.drawing.top)
        return found

    @cached_property
    def _tops(self) -> dict[str, float]:
        """By column that draws bars: what fills one."""
        return {
            c.name: c.drawing.top
            if c.drawing is not None and c.drawing.top is not None
            else max((float(v) for v in self._alike(c)), default=0.0) or 1.0
            for c in self._drawing("bar")
        }

    def _drawing(self, kind: str) -> list[Column[Row]]:
        return [c for c in self.shown if c.drawing is not None and c.drawing.kind == kind]

    def _alike(self, c: Column[Row]) -> list[Any]:
        """All values of the columns that share a column's scale."""
        group = c.drawing.group if c.drawing else ""
        alike = [
            o for o in self.shown if o is c or (group and o.drawing and o.drawing.group == group)
        ]
        values = (
            o.known(row)
            for o in alike
            for row in self.rows
            if o.drawing is not None and _draws(o.drawing, row)
        )
        return [v for v in values if v is not None]


def _draws(drawing: Drawing, row: Any) -> bool:
    return drawing.where is None or drawing.where(row)


def _part(value: Any, part: str) -> float:
    """A number of a measured value; a number without an interval is the value alone."""
    if isinstance(value, Measured):
        return float(getattr(value, part))
    return math.nan if value is None or part != "value" else float(value)


def _usual(value: Any) -> str:
    """Text as it is, whole numbers with commas, others with three decimals."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    return count(float(value)) if isinstance(value, Integral) else decimal(float(value))
