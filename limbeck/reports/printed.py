"""Results that print themselves: as a table in a terminal, as text, and in a notebook."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

__all__ = ["Printed", "Sheet", "Tabular", "plain_text"]

_WIDTH = 100


def plain_text(renderable: RenderableType) -> str:
    """Render without colour, 100 characters wide, whatever the terminal.

    Parameters
    ----------
    renderable : rich renderable
        Such as :func:`result_table` returns.

    Returns
    -------
    str
        Lines without trailing blanks.
    """
    console = Console(
        file=io.StringIO(),
        width=_WIDTH,
        color_system=None,
        force_terminal=False,
        force_jupyter=False,
        legacy_windows=False,
    )
    with console.capture() as capture:
        console.print(renderable)
    return "\n".join(line.rstrip() for line in capture.get().splitlines()).rstrip()


@dataclass(frozen=True)
class Sheet:
    """A table of texts.

    Parameters
    ----------
    title : str
        What the table shows.
    head : sequence of str
        Column headings.
    rows : sequence of sequences of str
        Cells.
    notes : sequence of str
        Sentences below it.
    """

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()


class Printed(ABC):
    """What shows the same table in a terminal, as text, and in a notebook."""

    @abstractmethod
    def __rich__(self) -> RenderableType:
        """What `rich` prints in a terminal."""

    @abstractmethod
    def _repr_html_(self) -> str:
        """What a notebook shows."""

    def __str__(self) -> str:
        return plain_text(self.__rich__())

    __repr__ = __str__


class Tabular(Printed):
    """What is one table of texts; see `sheet`."""

    @abstractmethod
    def sheet(self) -> Sheet:
        """The table to be shown."""

    def __rich__(self) -> RenderableType:
        sheet = self.sheet()
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
        for name in sheet.head:
            table.add_column(Text(name), overflow="fold")
        for row in sheet.rows:
            table.add_row(*map(Text, row))  # Text: a layer's name may look like rich's markup
        return Group(Text(sheet.title), table, *map(Text, sheet.notes))

    def _repr_html_(self) -> str:
        sheet = self.sheet()
        head = "".join(f"<th>{escape(name)}</th>" for name in sheet.head)
        rows = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
            for row in sheet.rows
        )
        notes = "".join(f"<p>{escape(note)}</p>" for note in sheet.notes)
        return (
            f'<div style="overflow-x:auto"><p>{escape(sheet.title)}</p><table><thead><tr>{head}'
            f"</tr></thead><tbody>{rows}</tbody></table>{notes}</div>"
        )
