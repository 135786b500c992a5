"""What `limbeck.advise` returns: forecasts that print, draw, save and load themselves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from rich.console import RenderableType

from limbeck.core.errors import InvalidInput
from limbeck.core.strict_json import read_json, record, write_json
from limbeck.reports.table import Table
from limbeck.results.advice_record import AdviceRecord
from limbeck.results.advice_sections import (
    fragment,
    outlook_table,
    plot_advice,
    point_table,
    terminal,
    write_page,
)
from limbeck.results.result import Result

__all__ = ["Advice"]

_FORMAT, _VERSION = "limbeck-advice", 1


@dataclass(frozen=True, eq=False, repr=False)
class Advice(AdviceRecord, Result):
    """The result of a pilot; its fields are those of `AdviceRecord`.

    See Also
    --------
    limbeck.advise : Makes one.
    """

    def report(self, path: str | Path) -> Path:
        """Write one self-contained HTML page; returns its path."""
        return write_page(self, path)

    def save(self, folder: str | Path) -> Path:
        """Write all numbers and the page; `limbeck.load` reads the folder.

        Parameters
        ----------
        folder : str or Path
            It is made where it is not there.
        """
        folder = Path(folder)
        if folder.exists() and not folder.is_dir():
            raise InvalidInput(f"{str(folder)!r} is a file.", "Give the name of a folder.")
        folder.mkdir(parents=True, exist_ok=True)
        self.report(folder / "report.html")
        write_json(self.to_dict(), folder / "result.json")
        return folder

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a folder that :meth:`save` wrote."""
        return record(cls, read_json(Path(folder) / "result.json", _FORMAT, _VERSION))

    def tables(self) -> dict[str, Table[Any]]:
        """The forecasts, and what the pilot ran."""
        found = {"forecasts": outlook_table(self), "pilot": point_table(self)}
        return {name: made for name, made in found.items() if made is not None}

    def plot(self, ax: Any = None) -> Any:
        """Draw the learning curves of student and control, with the forecasts.

        Parameters
        ----------
        ax : matplotlib Axes or sequence of Axes, optional
            Where to draw; single axes are divided; by default a new figure.

        Returns
        -------
        ndarray of matplotlib Axes

        Raises
        ------
        MissingExtra
            If matplotlib is not installed.
        """
        return plot_advice(self, ax)

    def to_dict(self) -> dict[str, Any]:
        """All numbers, ready for JSON, None where not finite."""
        return self._saved(
            _FORMAT, _VERSION, "sentence", "code", "outlooks", "points", "teacher", "score",
            "level", "notes", "settings",
        )  # fmt: skip

    def __rich__(self) -> RenderableType:
        return terminal(self)

    def _repr_html_(self) -> str:
        return fragment(self)
