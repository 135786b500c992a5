"""What every verb returns: it prints itself, draws its page, and is saved and loaded."""

from __future__ import annotations

from abc import abstractmethod
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Self

from limbeck.core.errors import InvalidInput, did_you_mean
from limbeck.core.status import Status
from limbeck.core.strict_json import plain
from limbeck.core.whole_folder import whole_folder
from limbeck.reports.printed import Printed
from limbeck.reports.table import Table

__all__ = ["Result", "saved_whole"]

# What results consist of on disk; weights of networks stay, since others may be named alike.
_MARKS = ("result.json", "audit.json")
_OWNED = (
    *_MARKS, "report.html", "certificate.json", "seen.npy", "holdout.parquet", "holdout.csv",
    "student", "student.json", "student.onnx", "students", "steps", "finalist-*",
    "rows.npz", "rows.jsonl", "dropped.jsonl", "requests.jsonl.gz", "generations.jsonl",
    "losses.npz", "attribution.npz",
)  # fmt: skip


def saved_whole(folder: str | Path) -> AbstractContextManager[Path]:
    """A folder to write a result to, which replaces the one before all at once.

    Parameters
    ----------
    folder : str or Path
        See :func:`limbeck.core.whole_folder.whole_folder`.
    """
    return whole_folder(folder, _OWNED, _MARKS)


class Result(Printed):
    """A table in the terminal and in a notebook, one HTML page, and a folder on disk."""

    @abstractmethod
    def report(self, path: str | Path) -> Path:
        """Write one self-contained HTML page; returns its path."""

    @abstractmethod
    def save(self, folder: str | Path) -> Path:
        """Write a folder that `load` reads; returns it."""

    @classmethod
    @abstractmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a folder that `save` wrote."""

    @abstractmethod
    def tables(self) -> dict[str, Table[Any]]:
        """All tables that have rows, by name; the main one first."""

    def _saved(self, kind: str, version: int, *names: str) -> dict[str, Any]:
        """The format, and what is saved by its name, ready for JSON: what `record` reads again."""
        values = ((name, getattr(self, name)) for name in names)
        told = {n: v.to_dict() if isinstance(v, Status) else plain(v) for n, v in values}
        return {"format": kind, "version": version, **told}

    def to_frame(self, table: str | None = None) -> Any:
        """A table as a `pandas.DataFrame`, with numbers as numbers.

        Parameters
        ----------
        table : str, optional
            One of :meth:`tables`; by default the first, of the models that were compared.

        Returns
        -------
        DataFrame
            Measured columns come with their intervals, in ``_low`` and ``_high``.

        Raises
        ------
        InvalidInput
            If there is no such table.
        """
        found = self.tables()
        name = next(iter(found)) if table is None else table
        if name not in found:
            raise InvalidInput(f"There is no table {name!r}.", did_you_mean(str(name), found))
        return found[name].to_frame()

    @abstractmethod
    def plot(self, ax: Any = None) -> Any:
        """Draw what came out on matplotlib axes; returns the axes, or an array of several.

        Raises
        ------
        MissingExtra
            If matplotlib is not installed.
        """

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """All numbers, ready for JSON, None where not finite."""
