"""What a tournament returns: printed, drawn, saved and loaded, its students with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from rich.console import RenderableType

from limbeck.core.errors import InvalidInput, did_you_mean
from limbeck.core.strict_json import read_json, record, write_json
from limbeck.reports.table import Table
from limbeck.results.distillation import Distillation
from limbeck.results.result import Result, saved_whole
from limbeck.results.tournament_record import TournamentRecord
from limbeck.results.tournament_sections import (
    fragment,
    front_svg,
    plot_front,
    tables,
    terminal,
    write_page,
)
from limbeck.students import files

__all__ = ["Tournament"]

_FORMAT, _VERSION = "limbeck-tournament", 1


@dataclass(frozen=True, eq=False, repr=False)
class Tournament(TournamentRecord, Result):
    """The result of one tournament; its fields are those of `TournamentRecord`.

    See Also
    --------
    limbeck.tournament : Makes one.
    """

    def best(
        self,
        max_numbers: int | None = None,
        *,
        within: float | None = None,
        kind: str | None = None,
    ) -> Distillation:
        """One of the finalists, with its certificate, control and report.

        Parameters
        ----------
        max_numbers : int, optional
            The most numbers it may hold. Without any argument the recommended one is returned;
            with this one the largest that fits.
        within : float, optional
            Instead of the largest the smallest whose agreement is so near that of the largest.
        kind : str, optional
            Only this kind of student, such as ``"tree"``.

        Raises
        ------
        InvalidInput
            If there is none.

        Examples
        --------
        See :func:`limbeck.tournament`.
        """
        if max_numbers is None and within is None and kind is None:
            return self.finalists[self.recommended]
        if within is not None and not within >= 0:
            raise InvalidInput(f"within is {within!r}.", "Give a difference of 0 or more.")
        kinds = list(dict.fromkeys(c.into for c in self.fronted))
        if kind is not None and kind not in kinds:
            raise InvalidInput(f"No {kind!r} is on the front.", did_you_mean(kind, kinds))
        pairs = [
            (candidate, finalist)
            for candidate, finalist in zip(self.fronted, self.finalists, strict=True)
            if (max_numbers is None or candidate.numbers <= max_numbers)
            and kind in (None, candidate.into)
        ]
        if not pairs:
            least = min(c.numbers for c in self.fronted if kind in (None, c.into))
            raise InvalidInput(
                f"No finalist holds {max_numbers} numbers or fewer.",
                f"The smallest holds {least}.",
            )
        top = pairs[-1][0].left_out.value
        near = [f for c, f in pairs if within is not None and top - c.left_out.value <= within]
        return near[0] if near else pairs[-1][1]

    def report(self, path: str | Path) -> Path:
        """Write one self-contained HTML page; returns its path."""
        return write_page(self, path)

    def save(self, folder: str | Path) -> Path:
        """Write the table, the page, every student, and a folder for each finalist.

        `limbeck.load` reads the folder, and each file in ``students/``.

        Parameters
        ----------
        folder : str or Path
            It is made where it is not there.
        """
        with saved_whole(folder) as to:
            (to / "students").mkdir()
            for i, finalist in enumerate(self.finalists):
                finalist.save(to / f"finalist-{i}")
            for name, student in zip(self._names(), self.students, strict=False):
                files.write(student.to_dict(), to / "students" / f"{name}.json")
            self.report(to / "report.html")
            write_json(self.to_dict(), to / "result.json")
        return Path(folder)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a folder that :meth:`save` wrote."""
        folder = Path(folder)
        data = read_json(folder / "result.json", _FORMAT, _VERSION)
        count = sum(bool(c.get("front")) for c in data.get("candidates", ()))
        finalists = tuple(Distillation.load(folder / f"finalist-{i}") for i in range(count))
        made = record(cls, data, finalists=finalists, students=())
        paths = [folder / "students" / f"{name}.json" for name in made._names()]
        if not all(path.exists() for path in paths):
            return made
        return replace(made, students=tuple(files.load(path) for path in paths))

    def _names(self) -> list[str]:
        """A name for the file of each candidate."""
        return [f"{i:03d}-{c.into}-{c.method}-{c.numbers}" for i, c in enumerate(self.candidates)]

    def tables(self) -> dict[str, Table[Any]]:
        """All tables that have rows: the front, all students, and what came to nothing."""
        return tables(self)

    def plot(self, ax: Any = None) -> Any:
        """Draw agreement by size, a line per kind of student, on matplotlib axes.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; by default a new figure.
        """
        return plot_front(self, ax)

    def svg(self) -> str:
        """The front as an SVG file's text: agreement by size, the recommended student ringed.

        Returns
        -------
        str
            It needs no other file, and fits light and dark pages.

        Examples
        --------
        See ``examples/breast_cancer.py``, which writes ``front.svg``.
        """
        return front_svg(self)

    def to_dict(self) -> dict[str, Any]:
        """All numbers, ready for JSON; the finalists have folders of their own."""
        return self._saved(
            _FORMAT, _VERSION, "sentence", "candidates", "recommended", "statements", "refits",
            "near", "unfinished", "settings",
        )  # fmt: skip

    def __rich__(self) -> RenderableType:
        return terminal(self)

    def _repr_html_(self) -> str:
        return fragment(self)
