"""What `limbeck.generate` returns: a set of rows that prints what was asked, kept and dropped."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

from rich.console import Group, RenderableType
from rich.text import Text

from limbeck.core.atomic_io import write_bytes
from limbeck.core.errors import FileRefused, plural
from limbeck.core.printable import visible
from limbeck.core.strict_json import parse_json, plain, read_json, record, strict_json, write_json
from limbeck.core.unpacked import pack, unpacked
from limbeck.language.generated.tasks import DroppedText, GeneratedRow
from limbeck.language.generated.writing_log import WritingRequest
from limbeck.reports.document import document, write_document
from limbeck.reports.markup import Html, tag
from limbeck.reports.plots import axes_of
from limbeck.reports.style import FRAGMENT, PAGE
from limbeck.reports.table import Table
from limbeck.results.generated_record import GeneratedRecord
from limbeck.results.generated_tables import sentences, tables
from limbeck.results.result import Result, saved_whole

__all__ = ["GeneratedSet"]

_FORMAT, _VERSION = "limbeck-generated", 1

T = TypeVar("T")


@dataclass(frozen=True, eq=False, repr=False)
class GeneratedSet(GeneratedRecord, Result):
    """The result of one generation; its fields are those of `GeneratedRecord`.

    See Also
    --------
    limbeck.generate : Makes one.
    """

    def __rich__(self) -> RenderableType:
        parts: list[RenderableType] = []
        for name, table in self.tables().items():
            if name != "rows":
                parts += [Text(visible(table.caption)), table.to_rich(), Text("")]
        return Group(*parts, *(Text(visible(one)) for one in sentences(self)))

    def _repr_html_(self) -> str:
        shown = [t.to_html() for name, t in self.tables().items() if name != "rows"]
        said = [tag("p", one) for one in sentences(self)]
        return tag("div", tag("style", Html(FRAGMENT)), *shown, *said, class_="limbeck")

    def tables(self) -> dict[str, Table[Any]]:
        """All tables that have rows: filters, diversity, control, and the rows themselves."""
        return tables(self)

    def report(self, path: str | Path) -> Path:
        """Write one self-contained HTML page; returns its path."""
        shown = [table.to_html() for table in self.tables().values()]
        said = tag("p", " ".join(sentences(self)))
        title = f"{plural(len(self), 'row')} by {self.settings['model']}"
        return write_document(document(title, [tag("h1", title), said, *shown], PAGE), path)

    def save(self, folder: str | Path) -> Path:
        """Write ``rows.jsonl``, ``dropped.jsonl``, ``requests.jsonl.gz``, the numbers and the page.

        Parameters
        ----------
        folder : str or Path
            It is made where it is not there.
        """
        packed = pack(_lines(self.requests))
        with saved_whole(folder) as to:
            write_bytes(_lines(self.rows), to / "rows.jsonl")
            write_bytes(_lines(self.dropped), to / "dropped.jsonl")
            write_bytes(packed, to / "requests.jsonl.gz")
            self.report(to / "report.html")
            write_json(self.to_dict(), to / "result.json")
        return Path(folder)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a folder that :meth:`save` wrote."""
        folder = Path(folder)
        data = read_json(folder / "result.json", _FORMAT, _VERSION)
        return record(
            cls,
            data,
            rows=_read(GeneratedRow, folder / "rows.jsonl"),
            dropped=_read(DroppedText, folder / "dropped.jsonl"),
            requests=_read(WritingRequest, folder / "requests.jsonl.gz"),
        )

    def plot(self, ax: Any = None) -> Any:
        """Draw how many were dropped by which filter, on matplotlib axes.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; by default a new figure.
        """
        ax = axes_of(ax)
        lines = [line for line in self.funnel if line.what.startswith("dropped")][::-1]
        names = [f"{line.unit}: {line.what.removeprefix('dropped: ')}" for line in lines]
        ax.barh(names, [line.count for line in lines])
        ax.set_xlabel("dropped")
        return ax

    def to_dict(self) -> dict[str, Any]:
        """All numbers, ready for JSON; rows and requests have files of their own."""
        names = ("funnel", "diversity", "bill", "control", "stopped", "notes", "settings")
        return {
            "format": _FORMAT,
            "version": _VERSION,
            "sentence": " ".join(sentences(self)),
            **{name: plain(getattr(self, name)) for name in names},
        }


def _lines(things: Iterable[Any]) -> bytes:
    return "".join(f"{strict_json(one, indent=None)}\n" for one in things).encode()


def _read(kind: type[T], path: Path) -> tuple[T, ...]:
    """Records of a JSONL file; a broken line is named."""
    found = []
    for number, line in enumerate(unpacked(path).split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            found.append(record(kind, parse_json(line)))
        except ValueError as error:
            why = error.problem if isinstance(error, FileRefused) else f"It {error}."
            raise FileRefused(
                f"Line {number:,} of {str(path)!r} cannot be read. {why}", "Save it again."
            ) from None
    return tuple(found)
