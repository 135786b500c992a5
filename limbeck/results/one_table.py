"""Results that are one table of numbers: their page and their folder follow from it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

from limbeck.core.errors import FileRefused
from limbeck.core.measured import Measured
from limbeck.core.strict_json import plain, read_json, record, write_json
from limbeck.evaluation.comparison import Difference
from limbeck.reports.document import document, write_document
from limbeck.reports.markup import tag
from limbeck.reports.printed import Tabular
from limbeck.reports.style import PAGE
from limbeck.reports.table import Table
from limbeck.results.result import Result, saved_whole

__all__ = ["OneTable"]


class OneTable(Result, Tabular):
    """A dataclass that `sheet` draws; its fields are what is saved.

    A subclass says what its files are called (``format``, ``version``) and what it is (``title``).
    """

    format: ClassVar[str]
    version: ClassVar[int] = 1
    title: ClassVar[str]

    def tables(self) -> dict[str, Table[Any]]:
        """The table, by its name."""
        return {"parts": self.sheet()}

    def report(self, path: str | Path) -> Path:
        """Write one self-contained HTML page; returns its path.

        Parameters
        ----------
        path : path
            Where; an older file is replaced.
        """
        sheet = self.sheet()
        notes = [tag("p", note) for note in sheet.notes]
        body = [tag("h1", self.title), sheet.to_html(), *notes]
        return write_document(document(f"limbeck: {self.title}", body, PAGE), path)

    def to_dict(self) -> dict[str, Any]:
        """All numbers, ready for JSON, None where not finite."""
        own = {f.name: plain(getattr(self, f.name)) for f in fields(self)}  # type: ignore[arg-type]
        return {"format": self.format, "version": self.version, **own}

    def save(self, folder: str | Path) -> Path:
        """Write the numbers and the page to a folder that `limbeck.load` reads.

        Parameters
        ----------
        folder : str or Path
            It is made where it is not there.
        """
        with saved_whole(folder) as to:
            self.report(to / "report.html")
            write_json(self.to_dict(), to / "result.json")
        return Path(folder)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a folder that :meth:`save` wrote.

        Parameters
        ----------
        folder : str or Path
            The folder.

        Raises
        ------
        FileRefused
            If it is of another kind, malformed or newer than this limbeck, or its numbers do not
            fit each other.
        """
        path = Path(folder) / "result.json"
        found = record(cls, read_json(path, cls.format, cls.version))
        for what, (value, low, high) in _measured(cls.__name__, found):
            if not low <= value <= high and not all(map(math.isnan, (value, low, high))):
                raise FileRefused(
                    f"In {str(path)!r} {what} is {value:g}, outside its interval of {low:g} to"
                    f" {high:g}.",
                    "Save the result again.",
                )
        return found


def _measured(name: str, found: Any) -> Iterator[tuple[str, tuple[float, float, float]]]:
    """Every number with an interval in nested dataclasses and tuples, by where it stands."""
    if isinstance(found, Measured | Difference):
        yield name, (found.value, found.low, found.high)
    elif isinstance(found, tuple):
        for i, one in enumerate(found):
            yield from _measured(f"{name}[{i}]", one)
    elif is_dataclass(found):
        for field in fields(found):
            yield from _measured(f"{name}.{field.name}", getattr(found, field.name))
