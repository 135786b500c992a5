"""What converting a language model returns: the student, its certificate, control and tables."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from rich.console import Group, RenderableType
from rich.text import Text

from limbeck.certificates.certificate_file import load as load_certificate
from limbeck.certificates.certificate_file import save as save_certificate
from limbeck.core.errors import InvalidInput
from limbeck.core.printable import visible
from limbeck.core.status import Status
from limbeck.core.strict_json import read_json, record, write_json
from limbeck.reports.document import document, write_document
from limbeck.reports.markup import Html, join, tag
from limbeck.reports.style import FRAGMENT, PAGE
from limbeck.reports.table import Table
from limbeck.results.conversion_sections import (
    ConversionRecord,
    model_table,
    preference_table,
    recall_table,
    sentences,
    tables,
)
from limbeck.results.result import Result, saved_whole

__all__ = ["Conversion"]

_FORMAT, _VERSION = "limbeck-conversion", 1


@dataclass(frozen=True, eq=False, repr=False)
class Conversion(ConversionRecord, Result):
    """A language model whose attention was replaced, measured on texts that no training saw.

    Its fields are those of `limbeck.results.conversion_sections.ConversionRecord`.
    """

    @property
    def verdict(self) -> str:
        """What came out, in a few sentences."""
        stated = self.certificate.statement if self.certificate else "There is no certificate."
        return f"{stated} {self.comparison.sentence}"

    def report(self, path: str | Path) -> Path:
        """Write one self-contained HTML page; returns its path."""
        shown = [tag("h1", self._title()), *(tag("p", text) for _, text in sentences(self))]
        parts = [join(shown), *(table.to_html() for table in self.tables().values())]
        return write_document(document(self._title(), parts, PAGE), path)

    def save(self, folder: str | Path) -> Path:
        """Write weights, tokenizer, certificate, tables and report; returns the folder.

        Parameters
        ----------
        folder : path
            Made if it does not exist.
        """
        with saved_whole(folder) as to:
            self.student.save(to / "student")
            if self.certificate is not None:
                save_certificate(self.certificate, to / "certificate.json")
            write_json(self.to_dict(), to / "result.json")
            self.report(to / "report.html")
        return Path(folder)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a folder that :meth:`save` wrote.

        Raises
        ------
        FileRefused
            If a file is lacking, malformed, or newer than this limbeck.
        """
        from limbeck.networks.conversion.student import HybridModel

        folder = Path(folder)
        data = read_json(folder / "result.json", _FORMAT, _VERSION)
        certificate = folder / "certificate.json"
        return record(
            cls,
            data,
            student=HybridModel.load(folder / "student"),
            status=Status.from_dict(data.get("status")),
            certificate=load_certificate(certificate) if certificate.exists() else None,
        )

    def export(self, path: str | Path) -> Path:
        """Write one step of generation as ONNX, with the states as inputs and outputs.

        Parameters
        ----------
        path : path
            A file whose name ends in ``.onnx``; `save` writes the weights.

        Raises
        ------
        InvalidInput
            If something else was asked for, or the graph does not equal the model.
        """
        if Path(path).suffix.lower() != ".onnx":
            raise InvalidInput(
                f"A converted model is not exported to {Path(path).name!r}.",
                "Give a name that ends in .onnx; result.save(folder) writes weights.",
            )
        exported: Path = self.student.export_onnx(path).path
        return exported

    def tables(self) -> dict[str, Table[Any]]:
        """All tables that have rows, by name: models, differences, history."""
        return tables(self)

    def plot(self, ax: Any = None) -> Any:
        """Draw all models with their intervals; returns the axes.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; by default a new figure.

        Raises
        ------
        MissingExtra
            If matplotlib is not installed.
        """
        from limbeck.reports.plots import grid_of
        from limbeck.results.distillation_sections.plot import plot_models

        axes = grid_of(1, ax, columns=1, size=(6.4, 3.2))[0]
        plot_models(self.comparison, True, axes)
        return axes

    def to_dict(self) -> dict[str, Any]:
        """All numbers, ready for JSON, None where not finite; weights are left out."""
        return self._saved(
            _FORMAT, _VERSION, "status", "verdict", "comparison", "facts", "history", "notes",
            "settings", "recalled", "preferred",
        )  # fmt: skip

    def _title(self) -> str:
        s = self.settings
        return (
            f"{s.get('teacher')}, attention in {len(s.get('kept', ()))} of {s.get('layers')} layers"
        )

    def __rich__(self) -> RenderableType:
        lines = [Text(visible(f"{name}: {text}")) for name, text in sentences(self)]
        shown: list[RenderableType] = []
        for table in (recall_table(self), preference_table(self)):
            if table is not None:
                shown += [Text(table.caption), table.to_rich(), Text()]
        return Group(model_table(self).to_rich(), Text(), *shown, *lines)

    def _repr_html_(self) -> str:
        return tag("div", tag("style", Html(FRAGMENT)), tag("p", self.verdict),
                   model_table(self).to_html(), class_="limbeck")  # fmt: skip
