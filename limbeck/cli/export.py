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
    dtype: Annotated[
        str | None, typer.Option(help="Numbers in the inputs of .onnx: float64 or float32.")
    ] = None,
    inputs: Annotated[
        str | None,
        typer.Option(help="Inputs of .onnx: rows, encoded; or columns, one by each name."),
    ] = None,
    dialect: Annotated[
        str | None, typer.Option(help="The database that must run .sql, such as sqlite.")
    ] = None,
) -> None:
    """Write a student as a file that runs without limbeck."""
    from limbeck.export.students import export_student
    from limbeck.students import load

    with plain_errors():
        path = student / "student.json" if student.is_dir() else student
        written = export_student(load(path), to, dtype=dtype, inputs=inputs, dialect=dialect)
        typer.echo(f"Written to {written}.")
