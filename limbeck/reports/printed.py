"""Results that print themselves: as a table in a terminal, as text, and in a notebook."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.text import Text

from limbeck.core.printable import visible
from limbeck.reports.markup import Html, tag
from limbeck.reports.style import FRAGMENT
from limbeck.reports.table import Table

__all__ = ["Printed", "Tabular", "plain_text"]

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
    text = "\n".join(line.rstrip() for line in capture.get().split("\n")).rstrip()
    return visible(text)


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
    """What is one table; see `sheet`."""

    @abstractmethod
    def sheet(self) -> Table[Any]:
        """The table to be shown."""

    def to_frame(self) -> Any:
        """The table as a `pandas.DataFrame`, with numbers as numbers."""
        return self.sheet().to_frame()

    def __rich__(self) -> RenderableType:
        sheet = self.sheet()
        said = [Text(visible(text)) for text in (sheet.caption, *sheet.notes)]
        return Group(said[0], sheet.to_rich(), *said[1:])

    def _repr_html_(self) -> str:
        sheet = self.sheet()
        notes = [tag("p", note) for note in sheet.notes]
        return tag("div", tag("style", Html(FRAGMENT)), sheet.to_html(), *notes, class_="limbeck")
