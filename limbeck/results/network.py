"""What distilling a network into a smaller one returns: students, certificate, control, verdict."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from rich.console import RenderableType

from limbeck.certificates.certificate_file import load as load_certificate
from limbeck.core.errors import InvalidInput, LimbeckError
from limbeck.core.status import Status
from limbeck.core.strict_json import read_json, record, write_json
from limbeck.reports.table import Table
from limbeck.results.model_card import write_card
from limbeck.results.network_record import NetworkRecord
from limbeck.results.network_sections.page import fragment, write_page
from limbeck.results.network_sections.plot import plot_network
from limbeck.results.network_sections.tables import network_table, tables
from limbeck.results.result import Result, saved_whole

__all__ = ["NetworkDistillation"]

_FORMAT, _VERSION = "limbeck-network-result", 1


@dataclass(frozen=True, eq=False, repr=False)
class NetworkDistillation(NetworkRecord, Result):
    """The result of distilling a network into a network; its fields are those of `NetworkRecord`.

    See Also
    --------
    limbeck.load : Reads what :meth:`save` wrote.
    """

    def report(self, path: str | Path) -> Path:
        """Write one self-contained HTML page; returns its path."""
        return write_page(self, path)

    def save(self, folder: str | Path) -> Path:
        """Write student (safetensors and ONNX), certificate, its rows, table and report.

        Parameters
        ----------
        folder : path
            Made if it does not exist; what a result before wrote there is replaced, all at once.

        Returns
        -------
        Path
            The folder.

        Notes
        -----
        The certificate in the folder speaks of ``student.onnx``, which anyone can verify without
        the code of the network: ``limbeck verify certificate.json --student student.onnx --rows
        rows.npz``. Where the export failed it speaks of the weights.
        """
        self.kept(Path(folder))
        return Path(folder)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a folder that :meth:`save` wrote; see :func:`limbeck.load`.

        Its student is the ONNX file, which predicts without the code of the network (None where
        the export failed or onnxruntime is absent; the notes say so), and there is nothing in
        ``students`` and ``controls``: the weights lie in the folder.

        Raises
        ------
        FileRefused
            If a file is lacking, malformed, or newer than this limbeck.
        """
        folder = Path(folder)
        data = read_json(folder / "result.json", _FORMAT, _VERSION)
        student, notes = _exported(folder)
        certificate = folder / "certificate.json"
        found = record(
            cls,
            data,
            student=student,
            students=(),
            controls=(),
            status=Status.from_dict(data.get("status")),
            certificate=load_certificate(certificate) if certificate.exists() else None,
            artifacts=None,
        )
        return replace(found, notes=(*found.notes, *notes))

    def kept(self, folder: Path) -> NetworkDistillation:
        """As `save`; returns the record with notes on what could not be written."""
        if self.artifacts is None:
            raise InvalidInput(
                "This result was read from a folder and holds no network to write.",
                "Copy the folder.",
            )
        with saved_whole(folder) as to:
            lost = self.artifacts.write(self, to)
            noted = replace(self, notes=(*self.notes, *lost))
            write_json(noted.to_dict(), to / "result.json")
            noted.report(to / "report.html")
        return noted

    def export(self, path: str | Path, **settings: Any) -> Path:
        """Write a model card with the fields of Hugging Face's.

        Parameters
        ----------
        path : str or Path
            A file whose name ends in ``.md``; `save` writes the network itself.
        **settings
            ``license``: its identifier, such as ``mit``.

        Raises
        ------
        InvalidInput
            If something else was asked for.
        """
        if Path(path).suffix.lower() != ".md":
            raise InvalidInput(
                f"A network is not exported to {Path(path).name!r}.",
                "result.save(folder) writes student.onnx and weights, export('card.md') a card.",
            )
        return write_card(self, path, settings)

    def tables(self) -> dict[str, Table[Any]]:
        """All tables that have rows, by name: models, differences, classes, mistakes, history."""
        return tables(self)

    def plot(self, ax: Any = None) -> Any:
        """Draw all models with their intervals, then losses and scores over epochs.

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
        return plot_network(self, ax)

    def to_dict(self) -> dict[str, Any]:
        """All numbers, ready for JSON, None where not finite; weights and rows are left out."""
        return self._saved(
            _FORMAT, _VERSION, "status", "verdict", "comparison", "facts", "history", "diagnosis",
            "notes", "settings",
        )  # fmt: skip

    def __rich__(self) -> RenderableType:
        return network_table(self)

    def _repr_html_(self) -> str:
        return fragment(self)


def _exported(folder: Path) -> tuple[Any, tuple[str, ...]]:
    """The ONNX student of a folder, and a note where it cannot be read."""
    from limbeck.students.files import load as load_student

    path = folder / "student.onnx"
    if not path.exists():
        return None, ()
    try:
        return load_student(path), ()
    except LimbeckError as error:
        return None, (f"student.onnx was not read: {error.problem} {error.remedy}",)
