"""What distilling a language model returns: student, certificate, control, texts, verdict."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from rich.console import RenderableType

from limbeck.certificates.certificate_file import load as load_certificate
from limbeck.certificates.certificate_file import save as save_certificate
from limbeck.core.atomic_io import write_bytes
from limbeck.core.errors import InvalidInput
from limbeck.core.status import Status
from limbeck.core.strict_json import read_json, record, strict_json, write_json
from limbeck.language.certified_texts import CertifiedTexts
from limbeck.language.models import read_model
from limbeck.reports.table import Table
from limbeck.results.language_record import LanguageRecord
from limbeck.results.language_sections.card import language_card
from limbeck.results.language_sections.page import fragment, write_page
from limbeck.results.language_sections.plot import plot_texts
from limbeck.results.language_sections.tables import language_table, tables
from limbeck.results.result import Result, saved_whole

__all__ = ["LanguageDistillation"]

_FORMAT, _VERSION = "limbeck-language-result", 1


@dataclass(frozen=True, eq=False, repr=False)
class LanguageDistillation(LanguageRecord, Result):
    """The result of distilling a language model; its fields are those of `LanguageRecord`.

    See Also
    --------
    limbeck.load : Reads what :meth:`save` wrote.
    """

    def with_card(self) -> LanguageDistillation:
        """The same, whose student is saved with a model card."""
        student = replace(self.student, card=language_card(self))
        return replace(self, student=student, students=(student, *self.students[1:]))

    def report(self, path: str | Path) -> Path:
        """Write one self-contained HTML page; returns its path."""
        return write_page(self, path)

    def save(self, folder: str | Path) -> Path:
        """Write student, certificate with its losses, texts, table and report.

        Parameters
        ----------
        folder : path
            Made if it does not exist; ``student/`` in it is a folder that transformers opens.

        Returns
        -------
        Path
            The folder.

        Raises
        ------
        FileRefused
            If a file cannot be written.
        """
        self.kept(Path(folder))
        return Path(folder)

    def kept(self, folder: Path) -> LanguageDistillation:
        """As `save`; returns the result."""
        if self.student is None:
            raise InvalidInput("This result holds no student to write.", "Copy its folder.")
        with saved_whole(folder) as to:
            self.student.save_pretrained(to / "student")
            lines = [strict_json(g, indent=None) for g in self.generations]
            write_bytes(("\n".join(lines) + "\n").encode(), to / "generations.jsonl")
            if self.certificate is not None:
                self.judged.save(to / "losses.npz")
                save_certificate(self.certificate, to / "certificate.json")
            write_json(self.to_dict(), to / "result.json")
            self.report(to / "report.html")
        return self

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a folder that :meth:`save` wrote; see :func:`limbeck.load`.

        Raises
        ------
        FileRefused
            If a file is lacking, malformed, or newer than this limbeck.
        """
        folder = Path(folder)
        data = read_json(folder / "result.json", _FORMAT, _VERSION)
        student = read_model(f"hf:{folder / 'student'}", "student")
        card = folder / "student" / "README.md"
        if card.is_file():
            student = replace(student, card=card.read_text(encoding="utf-8"))
        student = replace(student, name=str(data.get("settings", {}).get("student", student.name)))
        certificate, kept = folder / "certificate.json", folder / "losses.npz"
        return record(
            cls,
            data,
            student=student,
            students=(student,),
            status=Status.from_dict(data.get("status")),
            certificate=load_certificate(certificate) if certificate.exists() else None,
            judged=CertifiedTexts.open(kept) if kept.is_file() else CertifiedTexts({}),
        )

    def export(self, path: str | Path, **settings: Any) -> Path:
        """Write a model card with the fields of Hugging Face's.

        Parameters
        ----------
        path : str or Path
            A file whose name ends in ``.md``; `save` and ``student.save_pretrained`` write the
            model itself.
        **settings
            ``license``: its identifier, such as ``mit``.

        Raises
        ------
        InvalidInput
            If something else was asked for.
        """
        if Path(path).suffix.lower() != ".md":
            raise InvalidInput(
                f"A language model is not exported to {Path(path).name!r}.",
                "result.student.save_pretrained(folder) writes it, export('card.md') a card.",
            )
        for name in settings:
            if name != "license":
                raise InvalidInput(f"{name} was given for a model card.", "It takes license alone.")
        return write_bytes(language_card(self, settings.get("license")).encode(), Path(path))

    def tables(self) -> dict[str, Table[Any]]:
        """All tables that have rows: models, texts, differences, bill, generations, ..."""
        return tables(self)

    def plot(self, ax: Any = None) -> Any:
        """Draw the overlaps of all models with their intervals.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; by default a new figure.

        Returns
        -------
        matplotlib Axes

        Raises
        ------
        MissingExtra
            If matplotlib is not installed.
        """
        return plot_texts(self, ax)

    def to_dict(self) -> dict[str, Any]:
        """All numbers and texts, ready for JSON; weights are left out."""
        return self._saved(
            _FORMAT, _VERSION, "status", "verdict", "comparison", "second", "facts", "bill",
            "generations", "history", "preflight", "notes", "settings",
        )  # fmt: skip

    def __rich__(self) -> RenderableType:
        return language_table(self)

    def _repr_html_(self) -> str:
        return fragment(self)
