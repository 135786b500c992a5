"""``limbeck routes``: which ways lead from a teacher to a student."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from limbeck.cli.errors import plain_errors

__all__ = ["routes"]


def routes(
    teacher: Annotated[
        str,
        typer.Argument(
            help="A kind of teacher or a file (`limbeck teachers`), or package.module:name."
        ),
    ],
    into: Annotated[str | None, typer.Option(help="The student; all by default.")] = None,
    method: Annotated[str | None, typer.Option(help="Only ways that end by this method.")] = None,
    max_steps: Annotated[
        int | None, typer.Option(help="Steps at most: 2 for one student, 1 for all.")
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(help="A .safetensors file for a torch module.")
    ] = None,
) -> None:
    """List every way from a teacher to a student: what it needs, costs and guarantees."""
    from limbeck.api.load import read_teacher
    from limbeck.api.routes import routes as found
    from limbeck.core.errors import InvalidInput, did_you_mean
    from limbeck.core.registry import TEACHERS

    with plain_errors():
        if teacher not in TEACHERS.names() and teacher.isidentifier():  # no file, no module:name
            raise InvalidInput(
                f"There is no kind of teacher {teacher!r}.", did_you_mean(teacher, TEACHERS.names())
            )
        model = teacher if teacher in TEACHERS.names() else read_teacher(teacher, weights)
        Console().print(found(model, into, method=method, max_steps=max_steps))
