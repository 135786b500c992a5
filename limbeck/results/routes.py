"""Every way from a teacher to students, as one table and as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from limbeck.core.contract import Access
from limbeck.reports.printed import Tabular
from limbeck.reports.table import Column, Table
from limbeck.results.routes_record import FoundRoute, Reduction
from limbeck.results.web import plot_web

__all__ = ["FoundRoutes"]

_ERRORS_ADD = (
    "Of several steps the errors add up (e1 of the first, e2 of the second, ...), and so do the"
    " deltas; the last student is compared with the teacher itself as well. Each of the two bounds"
    " takes half of delta, and the smaller one is reported. A last step that comes within e2 of the"
    " best student of its kind, for the student before it, comes within 2 e1 + e2 of the best for"
    " the teacher."
)


@dataclass(frozen=True, eq=False, repr=False)
class FoundRoutes(Tabular):
    """All ways that a teacher's access is enough for.

    Parameters
    ----------
    teacher : str
        The teacher, or its kind.
    access : Access
        What it grants.
    found : tuple of FoundRoute
        The ways, by steps and effort.
    closed : tuple of Reduction
        Those that need more of the teacher than it grants.

    Examples
    --------
    >>> import limbeck
    >>> found = limbeck.routes("stored", into="junta")
    >>> [route.via for route in found.found][:2]
    [('linear',), ('sparse_sum',)]
    """

    teacher: str
    access: Access
    found: tuple[FoundRoute, ...]
    closed: tuple[Reduction, ...] = ()

    def __len__(self) -> int:
        return len(self.found)

    def sheet(self) -> Table[FoundRoute]:
        """The table."""
        several = any(route.via for route in self.found)
        columns: list[Column[FoundRoute]] = [
            Column("route", lambda r: " → ".join((*r.via, r.into))),
            Column("steps", lambda r: len(r.steps), align="right"),
            Column("method", lambda r: ", ".join(s.method for s in r.steps)),
            Column("needs", lambda r: str(r.steps[0].needs)),
            Column("form", lambda r: r.steps[0].form or None, "for", optional=True, wrap=True),
            Column("cost", lambda r: r.cost),
            Column("effort", lambda r: r.effort, format=lambda e: f"{e:g}", align="right",
                   page_only=True),
            Column("guarantee", lambda r: r.guarantee or None, page_only=True, wrap=True),
            Column("call", lambda r: r.call, page_only=True, wrap=True),
        ]  # fmt: skip
        caption = f"From {self.teacher}, which grants {self.access}"
        return Table(caption, columns, self.found, notes=self._notes(several))

    def plot(self, ax: Any = None) -> Any:
        """Draw the web: what is granted, the students, and the methods between them.

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
        return plot_web(self.reductions(), ax)

    def reductions(self) -> tuple[Reduction, ...]:
        """All reductions of these ways, each once."""
        return tuple(dict.fromkeys(step for route in self.found for step in route.steps))

    def _notes(self, several: bool) -> Sequence[str]:
        notes = [
            "Every route ends in a certificate: with probability 1 - delta the student differs from"
            " the teacher on at most a share epsilon of inputs, by rows that no step saw."
        ]
        single = [route.steps[0] for route in self.found if not route.via]
        more = [f"{r.into} by {r.method}: {r.guarantee}" for r in single if r.guarantee]
        if more:
            notes.append(f"Beside the certificate, {'; '.join(more)}.")
        if several:
            notes.append(_ERRORS_ADD)
        if self.closed:
            lacking = ", ".join(
                f"{r.into} by {r.method} ({Access(r.needs & ~self.access)})" for r in self.closed
            )
            notes.append(f"Not granted: {lacking}.")
        return notes
