"""What a distillation of texts with several labels at once returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from limbeck.certificates.wording import in_percent, upward
from limbeck.core.errors import FileRefused
from limbeck.core.strict_json import read_json, write_json
from limbeck.reports.document import document, write_document
from limbeck.reports.markup import tag
from limbeck.reports.plots import axes_of, intervals
from limbeck.reports.printed import Tabular
from limbeck.reports.style import PAGE
from limbeck.reports.table import Column, Table
from limbeck.results.distillation import Distillation
from limbeck.results.result import Result, saved_whole
from limbeck.results.tournament_record import certified_bound

__all__ = ["MultilabelDistillation", "MultilabelTexts"]

_FORMAT, _VERSION = "limbeck-multilabel", 1


@dataclass(frozen=True, eq=False)
class MultilabelTexts:
    """A student for each label, which says whether a text has it.

    Parameters
    ----------
    students : mapping from str to Student
        By label, each of the classes False and True.
    """

    students: Mapping[str, Any]

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, in the order of the columns."""
        return tuple(self.students)

    def predict(self, X: Any) -> NDArray[np.bool_]:
        """Which labels texts have, shape (n, k).

        Parameters
        ----------
        X : list, array or Series of n texts
            The texts.
        """
        return np.column_stack([s.predict(X).astype(bool) for s in self.students.values()])

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """The probability of each label, shape (n, k); they do not add up to 1.

        Parameters
        ----------
        X : list, array or Series of n texts
            The texts.
        """
        return np.column_stack([s.predict_proba(X)[:, 1] for s in self.students.values()])

    def text(self) -> str:
        """What decides, label by label."""
        return "\n\n".join(f"{name}\n{'=' * len(name)}\n{s.text()}" for name, s in
                           self.students.items())  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class MultilabelDistillation(Result, Tabular):
    """A distillation for each label, on the same texts, with certificates that hold together.

    Parameters
    ----------
    parts : mapping from str to Distillation
        By label; each bound is at its share of delta.
    wrong, n : int
        Texts of the certificate on which any label differs, and all of them.
    any_bound : float
        The share of texts on which any label differs is at most this.
    delta : float
        Probability that any of the k + 1 bounds is wrong.
    notes : tuple of str
        What was asked, where not all texts were.
    """

    parts: Mapping[str, Distillation]
    wrong: int
    n: int
    any_bound: float
    delta: float
    notes: tuple[str, ...] = ()

    @property
    def student(self) -> MultilabelTexts:
        """The students of all labels as one."""
        return MultilabelTexts({name: part.student for name, part in self.parts.items()})

    @property
    def statement(self) -> str:
        """All bounds at once, in a sentence."""
        return (
            f"With probability at least {in_percent(1 - self.delta)}, all at once: the"
            " student gives another set of labels than the teacher to at most"
            f" {_at_most(self.any_bound)} of texts drawn like these ({self.wrong:,} of {self.n:,}"
            " differed), and each label differs on at most the share in its line."
        )

    def sheet(self) -> Table[tuple[str, Distillation]]:
        """A line for each label, with the statement below."""
        columns: list[Column[tuple[str, Distillation]]] = [
            Column("label", lambda row: row[0], wrap=True),
            Column("positive", lambda row: _positive(row[1]), "teacher\nsays yes", align="right"),
            Column("agreement", lambda row: _entry(row[1], "student").agreement,
                   "agreement with\nthe teacher"),
            Column("bound", lambda row: certified_bound(row[1].certificate), "differs\nat most",
                   format=_at_most, align="right"),
            Column("control", lambda row: _agreement(row[1]), "agreement of\nthe control",
                   optional=True),
            Column("accuracy", lambda row: _entry(row[1], "student").accuracy,
                   "accuracy on\nthe labels", optional=True),
        ]  # fmt: skip
        notes = [f"certificate  {self.statement}"]
        notes += [f"note  {note}" for note in self.notes]
        for name, part in self.parts.items():
            notes.append(f"verdict  {name}: {part.comparison.sentence}")
            notes += [f"note  {name}: {note}" for note in part.notes if "never" in note]
        return Table("Texts with several labels", columns, list(self.parts.items()), notes=notes)

    def tables(self) -> dict[str, Table[Any]]:
        """The table of all labels, and each label's of its models."""
        own = {f"models of {name}": part.tables()["models"] for name, part in self.parts.items()}
        return {"labels": self.sheet(), **own}

    def to_frame(self, table: str | None = None) -> Any:
        """A table as a `pandas.DataFrame`; see `limbeck.results.result.Result.to_frame`.

        Parameters
        ----------
        table : str, optional
            One of :meth:`tables`; by default that of all labels.
        """
        return Result.to_frame(self, table)

    def plot(self, ax: Any = None) -> Any:
        """Draw the agreement of student and control with the teacher, label by label.

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
        parts = self.parts.values()
        ax = axes_of(ax, (7.0, 1.4 + 0.55 * len(self.parts)))
        measured = {
            "agreement with the teacher": [_entry(p, "student").agreement for p in parts],
            "of the control": [_agreement(p) for p in parts],
        }
        shown = {what: values for what, values in measured.items() if any(values)}
        intervals(ax, list(self.parts), shown, [False] * len(self.parts))
        ax.set_xlabel(f"agreement with the teacher, {in_percent(1 - self.delta)} intervals")
        return ax

    def to_dict(self) -> dict[str, Any]:
        """All numbers, ready for JSON, None where not finite."""
        return {
            "format": _FORMAT, "version": _VERSION, "labels": list(self.parts),
            "wrong": self.wrong, "n": self.n, "any_bound": self.any_bound, "delta": self.delta,
            "statement": self.statement, "notes": list(self.notes),
            "parts": {name: part.to_dict() for name, part in self.parts.items()},
        }  # fmt: skip

    def report(self, path: str | Path) -> Path:
        """Write one self-contained HTML page; returns its path.

        Parameters
        ----------
        path : path
            Where; an older file is replaced.
        """
        sheet = self.sheet()
        body = [tag("h1", "Texts with several labels"), tag("p", self.statement), sheet.to_html()]
        words = [tag("h2", "What decides"), tag("pre", self.student.text())]
        return write_document(document("limbeck: several labels", [*body, *words], PAGE), path)

    def save(self, folder: str | Path) -> Path:
        """Write a folder with one for each label in ``students``; `limbeck.load` reads it.

        Parameters
        ----------
        folder : path
            Made if it does not exist.
        """
        with saved_whole(folder) as to:
            for i, part in enumerate(self.parts.values()):
                part.save(to / "students" / str(i))
            write_json(
                {"format": _FORMAT, "version": _VERSION, "labels": list(self.parts),
                 "wrong": self.wrong, "n": self.n, "any_bound": self.any_bound,
                 "delta": self.delta, "statement": self.statement, "notes": list(self.notes)},
                to / "result.json",
            )  # fmt: skip
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
        data = read_json(folder / "result.json", _FORMAT, _VERSION)
        try:
            parts = {
                str(name): Distillation.load(folder / "students" / str(i))
                for i, name in enumerate(data["labels"])
            }
            return cls(
                parts, int(data["wrong"]), int(data["n"]), float(data["any_bound"]),
                float(data["delta"]), tuple(map(str, data.get("notes", ()))),
            )  # fmt: skip
        except (KeyError, TypeError, ValueError) as error:
            raise FileRefused(
                f"{str(folder)!r} is no result of several labels: {error}.", "Save it again."
            ) from None


def _entry(part: Distillation, role: str) -> Any:
    return next(e for e in part.comparison.entries if e.role == role)


def _agreement(part: Distillation) -> Any:
    found = [e.agreement for e in part.comparison.entries if e.role == "control"]
    return found[0] if found else None


def _at_most(bound: float) -> str:
    return f"{upward(100 * bound)}%"


def _positive(part: Distillation) -> int:
    return sum(c.rows for c in part.comparison.classes if c.label == "True")
