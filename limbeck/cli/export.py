"""``limbeck export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from limbeck.cli.errors import plain_errors

__all__ = ["export"]


def export(
    student: Annotated[
        Path,
        typer.Argument(
            help="student.json, or the folder of a run; of a tournament the recommended student."
        ),
    ],
    to: Annotated[
        Path,
        typer.Option(help="The file: .sql, .c, .h, .py, .js, .mjs, .onnx, .json; .md for a card."),
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
    license_id: Annotated[
        str | None, typer.Option("--license", help="Of a card, such as mit.")
    ] = None,
) -> None:
    """Write a student as a file that runs without limbeck."""
    from limbeck.export.students import export_student
    from limbeck.students import load

    with plain_errors():
        card = {"--license": license_id}
        _check_given(to, {"--dtype": dtype, "--inputs": inputs, "--dialect": dialect}, card)
        student = _recommended(student)
        if to.suffix.lower() == ".md":
            typer.echo(f"Written to {_card(student, to, license_id)}.")
            return
        path = student / "student.json" if student.is_dir() else student
        written = export_student(load(path), to, dtype=dtype, inputs=inputs, dialect=dialect)
        typer.echo(f"Written to {written}.")


def _check_given(to: Path, student: dict[str, str | None], card: dict[str, str | None]) -> None:
    """Refuse what a card does not take, or what only a card takes."""
    from limbeck.core.errors import InvalidInput

    is_card = to.suffix.lower() == ".md"
    name = next((name for name, value in (student if is_card else card).items() if value), None)
    if name is not None:
        whose = "of students, not of cards" if is_card else "of cards alone, which end in .md"
        raise InvalidInput(f"{name} was given for {to.suffix!r}.", f"It is {whose}.")


def _recommended(folder: Path) -> Path:
    """Of a tournament the folder of the student that it recommends; else what was given."""
    from limbeck.api.load import load
    from limbeck.results.tournament import Tournament

    if not (folder / "students").is_dir():
        return folder
    found = load(folder)
    return folder / f"finalist-{found.recommended}" if isinstance(found, Tournament) else folder


def _card(folder: Path, to: Path, license_id: str | None) -> Path:
    """The model card of a run."""
    from limbeck.api.load import load
    from limbeck.core.errors import InvalidInput

    result: Any = load(folder) if folder.is_dir() else None
    if not hasattr(result, "certificate"):
        raise InvalidInput(
            f"{str(folder)!r} is no folder of a distillation, and a card is made from its numbers.",
            "Give the folder that `limbeck distill --out` or result.save wrote.",
        )
    given = {} if license_id is None else {"license": license_id}
    return Path(result.export(to, **given))
