"""What to say where a teacher that expects texts was given a table of several columns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from limbeck.api.prepare.table import Request
from limbeck.core.errors import TeacherFailed
from limbeck.data.text_files import holds_texts

__all__ = ["naming_columns"]


@contextmanager
def naming_columns(request: Request) -> Iterator[None]:
    """Say which columns the teacher was given, where it fails on a table with texts.

    A function that expects texts iterates over the names of the columns, so that its answers have
    as many rows as the table has columns: the shape alone does not say why.

    Parameters
    ----------
    request : Request
        What was asked for.

    Raises
    ------
    TeacherFailed
        The failure, with the columns and how to give the texts alone.
    """
    try:
        yield
    except TeacherFailed as error:
        apart = {n for n in (request.cases, request.sample_weight) if isinstance(n, str)}
        columns = [n for n in getattr(request.X, "columns", ()) if n not in apart]
        held = [n for n in columns if holds_texts(request.X[n])]
        if not getattr(request.method, "texts", False) or len(columns) < 2 or not held:
            raise
        raise TeacherFailed(
            f"{error.problem} It was given tables with the columns"
            f" {', '.join(map(repr, columns[:6]))}{', ...' if len(columns) > 6 else ''}.",
            f"If it reads texts, give one column as the rows: X[{held[-1]!r}] (cases= and"
            f" sample_weight= may name others). {error.remedy}",
        ) from error
