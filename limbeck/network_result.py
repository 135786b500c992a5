"""What distilling a network into a smaller one returns: students, certificate, control, verdict."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from limbeck.comparison import Comparison, Measured
from limbeck.contract import Certificate, Status
from limbeck.writing import write_bytes

__all__ = ["ModelFacts", "NetworkDistillation"]


@dataclass(frozen=True)
class ModelFacts:
    """What a network costs and how far its confidence can be trusted.

    Parameters
    ----------
    parameters, weight_bytes : int
        Its size.
    calibration : Measured or None
        Expected calibration error (Guo et al. 2017), a share; None for numbers or without labels.
    milliseconds : Measured or None
        Time of a batch: median, with the lower and upper quartile as low and high.
    batch_size, threads : int
        What that time was measured with.
    peak_bytes : int or None
        Memory that a forward pass takes beside the weights, where it could be measured.
    mistakes : mapping
        Shares of all places: ``inherited`` from the teacher, ``own``, ``other``; may be empty.
    by_class : mapping
        Places, accuracy and agreement for each class; may be empty.
    timed_calls : int
        Calls of the network that measuring time and memory took; 0 where it was switched off.
    """

    parameters: int
    weight_bytes: int
    calibration: Measured | None = None
    milliseconds: Measured | None = None
    batch_size: int = 0
    threads: int = 0
    peak_bytes: int | None = None
    mistakes: Mapping[str, float] = field(default_factory=dict)
    by_class: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    timed_calls: int = 0


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
        from limbeck.reports.network_page import write_page

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

    def kept(self, folder: Path) -> NetworkDistillation:
        """As `save`; returns the record with notes on what could not be written."""
        lost = self.papers.write(self, folder)
        noted = replace(self, notes=(*self.notes, *lost))
        told = json.dumps(noted.to_dict(), indent=1, allow_nan=False)
        write_bytes(told.encode(), folder / "result.json")
        noted.report(folder / "report.html")
        return noted

    def to_dict(self) -> dict[str, Any]:
        """All numbers, ready for JSON, None where not finite; weights and rows are left out."""
        told = {
            "format": "limbeck-network-result",
            "version": 1,
            "status": {"code": self.status.code.name.lower(), "message": str(self.status)},
            "verdict": self.verdict,
            "comparison": asdict(self.comparison),
            "facts": {role: asdict(f) for role, f in self.facts.items()},
            "history": [dict(row) for row in self.history],
            "notes": list(self.notes),
            "settings": dict(self.settings),
        }
        return {name: _finite(value) for name, value in told.items()}

    def __rich__(self) -> Any:
        from limbeck.reports.network_tables import network_table

        return network_table(self)

    def __str__(self) -> str:
        from limbeck.reports.tables import plain_text

        return plain_text(self.__rich__())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from limbeck.reports.network_page import fragment

        return fragment(self)


def _finite(value: Any) -> Any:
    """The same with None for NaN and infinity, which JSON does not know."""
    if isinstance(value, Mapping):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
