"""``limbeck export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from limbeck.cli.errors import plain_errors

__all__ = ["export"]


def export(
    student: Annotated[
        Path, typer.Argument(help="student.json, or the folder of a run that holds one.")
    ],
    to: Annotated[
        Path, typer.Option(help="The file: .sql, .c, .h, .py, .js, .mjs, .onnx or .json.")
    ],
) -> None:
    """Write a student as a file that runs without limbeck."""
    from limbeck.export.students import export_student
    from limbeck.students import load

    with plain_errors():
        path = student / "student.json" if student.is_dir() else student
        written = export_student(load(path), to)
        typer.echo(f"Written to {written}.")
