"""What distilling a network into a smaller one returns: students, certificate, control, verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from limbeck.certificates.certificate_file import load as load_certificate
from limbeck.core.contract import Certificate, Status
from limbeck.core.errors import InvalidInput, LimbeckError
from limbeck.core.strict_json import plain, read_json, record, write_json
from limbeck.evaluation.comparison import Comparison
from limbeck.evaluation.model_facts import ModelFacts

__all__ = ["NetworkDistillation"]

_FORMAT, _VERSION = "limbeck-network-result", 1


@dataclass(frozen=True, eq=False)
class NetworkDistillation:
    """The record of one distillation of a network into a network.

    Parameters
    ----------
    student : torch.nn.Module
        The student of the seed that did best on validation rows (the first without them); it
        holds no teacher.
    students, controls : tuple of torch.nn.Module
        The students and their controls of all seeds.
    status : Status
        How the training ended, and what to do about it.
    certificate : Certificate or None
        How far the student is from the teacher, on rows that training never saw; None where
        there is no teacher.
    comparison : Comparison
        Teacher, student, control and baseline on those rows; means over seeds, with intervals
        that cover other seeds and other rows where there are several seeds.
    facts : mapping
        Size, calibration, latency and mistakes, by role.
    history : tuple of mapping
        A row a logged update, with ``seed`` and ``role``: raw losses of the terms, their weights,
        scores on the validation rows.
    notes : tuple of str
        What must be known before the numbers are believed: what was copied from the teacher,
        how labels and outputs were understood, what was not measured.
    settings : mapping
        Everything needed to run it again, versions included.
    papers : Papers
        What :meth:`save` writes so that a third party can verify.
    """

    student: Any
    students: tuple[Any, ...]
    controls: tuple[Any, ...]
    status: Status
    certificate: Certificate | None
    comparison: Comparison
    facts: Mapping[str, ModelFacts]
    history: tuple[Mapping[str, Any], ...]
    notes: tuple[str, ...]
    settings: Mapping[str, Any]
    papers: Any = field(repr=False)

    @property
    def verdict(self) -> str:
        """What came out, in a few sentences; first that the training was too short, if it was."""
        statement = self.certificate.statement if self.certificate else "There is no certificate."
        short = f"{self.status} " if self.comparison.untrained else ""
        return f"{short}{statement} {self.comparison.sentence}"

    def report(self, path: str | Path) -> Path:
        """Write one self-contained HTML page; returns its path."""
        from limbeck.results.network_sections.page import write_page

        return write_page(self, path)

    def save(self, folder: str | Path) -> Path:
        """Write student (safetensors and ONNX), certificate, its rows, table and report.

        Parameters
        ----------
        folder : path
            Made if it does not exist; files of the same names are replaced, each at once.

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
            papers=None,
        )
        return replace(found, notes=(*found.notes, *notes))

    def kept(self, folder: Path) -> NetworkDistillation:
        """As `save`; returns the record with notes on what could not be written."""
        if self.papers is None:
            raise InvalidInput(
                "This result was read from a folder and holds no network to write.",
                "Copy the folder.",
            )
        lost = self.papers.write(self, folder)
        noted = replace(self, notes=(*self.notes, *lost))
        write_json(noted.to_dict(), folder / "result.json")
        noted.report(folder / "report.html")
        return noted

    def to_dict(self) -> dict[str, Any]:
        """All numbers, ready for JSON, None where not finite; weights and rows are left out."""
        told = {
            "format": _FORMAT,
            "version": _VERSION,
            "status": self.status.to_dict(),
            "verdict": self.verdict,
            "comparison": self.comparison,
            "facts": self.facts,
            "history": self.history,
            "notes": self.notes,
            "settings": self.settings,
        }
        return {name: plain(value) for name, value in told.items()}

    def __rich__(self) -> Any:
        from limbeck.results.network_sections.tables import network_table

        return network_table(self)

    def __str__(self) -> str:
        from limbeck.results.distillation_sections.tables import plain_text

        return plain_text(self.__rich__())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from limbeck.results.network_sections.page import fragment

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
