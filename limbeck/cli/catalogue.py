"""``limbeck students``, ``methods`` and ``teachers``: what can be asked for, one line each."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

__all__ = ["methods", "students", "teachers"]


def students() -> None:
    """List what a teacher can be distilled into."""
    from limbeck.core.registry import STUDENTS
    from limbeck.selection.routes import OTHER_STUDENTS
    from limbeck.selection.routes import students as known

    table = Table("into", "what it is", "methods", box=None, pad_edge=False)
    for name, ways in known().items():
        table.add_row(name, _first_line(STUDENTS.get(name)), ", ".join(ways))
    for name, what in OTHER_STUDENTS.items():
        table.add_row(name, what, "its own")
    Console().print(table)


def methods() -> None:
    """List how a teacher becomes each student; the usual method of a student comes first."""
    from limbeck.selection.routes import students as known

    table = Table("into", "method", "how", "needs", box=None, pad_edge=False)
    for into, ways in known().items():
        for name, method in ways.items():
            table.add_row(into, name, _first_line(method), str(method.needs))
    Console().print(table)


def teachers() -> None:
    """List what can be distilled, and what each kind grants."""
    from limbeck.teachers.entry import entries

    table = Table("teacher", "what it is", "as a file", "grants", "needs", box=None, pad_edge=False)
    for name, _, entry in entries():
        needs = Text(entry.install)  # the brackets of an extra are no markup
        table.add_row(name, entry.summary, " ".join(entry.files), str(entry.grants), needs)
    Console().print(table)


def _first_line(cls: type) -> str:
    return (cls.__doc__ or "").strip().splitlines()[0].split("; see")[0].rstrip(".")
