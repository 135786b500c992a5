"""What a distillation into static embeddings returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from limbeck.certificates.embeddings import (
    EmbeddingCertificate,
    certify_embedding,
)
from limbeck.certificates.wording import in_percent
from limbeck.core.errors import InvalidInput
from limbeck.core.measured import Measured
from limbeck.core.strict_json import plain, read_json, record, write_json
from limbeck.reports.plots import axes_of, intervals
from limbeck.reports.table import Column, Drawing, Table
from limbeck.results.one_table import OneTable
from limbeck.results.result import saved_whole
from limbeck.students.static_embedding.static_embedding import StaticEmbedding

__all__ = ["EmbeddingDistillation", "EmbeddingModel"]


@dataclass(frozen=True)
class EmbeddingModel:
    """One line of the table.

    Parameters
    ----------
    role : str
        teacher, student, control or baseline.
    model : str
        What it is.
    direction : float or None
        Mean of one less the cosine with the teacher's vector; None where dimensions differ.
    order : Measured or None
        Share of triples of texts in the teacher's order.
    rank : float or None
        Spearman's correlation of the cosines of pairs with the teacher's.
    accuracy : Measured or None
        Of a logistic regression on the vectors, where there are labels.
    texts_per_second : float or None
        Texts that are encoded in a second of one core's time.
    megabytes : float or None
        Of its numbers.
    cross : Measured or None
        Share of triples in the order of a cross-encoder, where one was the teacher of margins.
    """

    role: str
    model: str
    direction: float | None
    order: Measured | None
    rank: float | None
    accuracy: Measured | None
    texts_per_second: float | None
    megabytes: float | None
    cross: Measured | None = None


@dataclass(frozen=True, eq=False, repr=False)
class EmbeddingDistillation(OneTable):
    """The result of a distillation into static embeddings.

    Parameters
    ----------
    student : StaticEmbedding
        The table.
    certificate : EmbeddingCertificate
        Three bounds on texts that training never saw.
    models : tuple of EmbeddingModel
        Teacher, student, control and baselines on those texts.
    verdict : str
        Whether distilling helped, against the control.
    settings : mapping
        What is needed to run it again.
    notes : tuple of str
        What a reader should know.
    texts, vectors : ndarray, optional
        The texts of the certificate and the teacher's vectors; not saved.
    """

    format: ClassVar[str] = "limbeck-embedding-result"
    title: ClassVar[str] = "Static embeddings"

    student: StaticEmbedding
    certificate: EmbeddingCertificate
    models: tuple[EmbeddingModel, ...]
    verdict: str
    settings: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    texts: Any = field(default=None)
    vectors: Any = field(default=None)

    def sheet(self) -> Table[EmbeddingModel]:
        """The table of models, with certificate and verdict below it."""
        columns: list[Column[EmbeddingModel]] = [
            Column("role", lambda m: m.role),
            Column("model", lambda m: m.model),
            Column("order", lambda m: m.order, "same order", drawing=Drawing("interval", "shares"),
                   instead=lambda m: "itself" if m.role == "teacher" else "—"),
            Column("cross", lambda m: m.cross, "cross-encoder's\norder", optional=True,
                   drawing=Drawing("interval", "shares")),
            Column("rank", lambda m: m.rank, "rank corr.", format=lambda v: f"{v:.3f}",
                   align="right", page_only=True),
            Column("direction", lambda m: m.direction, "1 - cos", format=lambda v: f"{v:.3f}",
                   align="right"),
            Column("accuracy", lambda m: m.accuracy, "accuracy", optional=True,
                   drawing=Drawing("interval", "shares")),
            Column("speed", lambda m: m.texts_per_second, "texts/CPU s",
                   format=lambda v: f"{v:,.0f}", align="right"),
            Column("size", lambda m: m.megabytes, "MB", format=lambda v: f"{v:.1f}",
                   align="right"),
        ]  # fmt: skip
        said = (
            "same order: triples of texts in which the same one is nearer to the first; accuracy:"
            " of a logistic regression on the vectors; all on texts set aside",
            f"certificate  {self.certificate.statement}",
            f"verdict  {self.verdict}",
        )
        notes = (*said, *(f"note  {note}" for note in self.notes))
        return Table(self.title, columns, list(self.models), notes=notes,
                     stacked=any(m.cross for m in self.models))  # fmt: skip

    def tables(self) -> dict[str, Table[Any]]:
        """The models that were compared."""
        return {"models": self.sheet()}

    def plot(self, ax: Any = None) -> Any:
        """Draw the order of similarity, and accuracy where there are labels, of each model.

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
        ax = axes_of(ax, (7.0, 1.4 + 0.55 * len(self.models)))
        measured: dict[str, Sequence[Measured | None]] = {
            "triples in the teacher's order": [m.order for m in self.models],
            "accuracy on the labels": [m.accuracy for m in self.models],
        }
        shown = {what: values for what, values in measured.items() if any(values)}
        names = [f"{m.role}\n{m.model}" for m in self.models]
        intervals(ax, names, shown, [m.role == "student" for m in self.models])
        ax.set_xlabel(f"{' and '.join(shown)}, {in_percent(1 - self.certificate.delta)} intervals")
        return ax

    def verify(self, texts: Any, vectors: Any) -> bool:
        """Compute the certificate anew from texts and the teacher's vectors, and compare.

        Parameters
        ----------
        texts : list of n texts
            Those of the certificate, in their order.
        vectors : ndarray of shape (n, D)
            The teacher's vectors of them.

        Raises
        ------
        InvalidInput
            If it is another student's certificate.
        """
        if self.student.fingerprint() != self.certificate.student:
            raise InvalidInput("The certificate is of another student.", "Load both again.")
        c = self.certificate
        again = certify_embedding(
            self.student.encode(texts), np.asarray(vectors), c.student, delta=c.delta, seed=c.seed,
            lifted=self.student.lifted(texts),
        )  # fmt: skip
        return all(
            a.n == b.n and abs(a.bound - b.bound) < 1e-6
            for a, b in zip(again.bounds, c.bounds, strict=True)
        )

    def to_dict(self) -> dict[str, Any]:
        """All numbers, ready for JSON."""
        found: dict[str, Any] = plain(
            {
                "format": self.format,
                "version": self.version,
                "certificate": asdict(self.certificate),
                "models": [asdict(m) for m in self.models],
                "verdict": self.verdict,
                "settings": dict(self.settings),
                "notes": list(self.notes),
            }
        )
        return found

    def save(self, folder: str | Path) -> Path:
        """Write the student's folder, which sentence-transformers loads, numbers and page.

        Parameters
        ----------
        folder : path
            Made if it does not exist.
        """
        with saved_whole(folder) as to:
            self.student.save(to)
            write_json(self.to_dict(), to / "result.json")
            self.report(to / "report.html")
        return Path(folder)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read what `save` wrote.

        Parameters
        ----------
        folder : path
            The folder.

        Raises
        ------
        FileRefused
            If it is malformed.
        """
        folder = Path(folder)
        data = read_json(folder / "result.json", cls.format, cls.version)
        return record(cls, data, student=StaticEmbedding.load(folder))
