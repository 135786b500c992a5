"""``limbeck tournament``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from limbeck.cli.errors import plain_errors
from limbeck.cli.options import (
    Cases,
    Identical,
    Share,
    Table,
    class_names,
    column_of,
    duplicates_rule,
    parts,
)

__all__ = ["tournament"]


def tournament(
    teacher: Annotated[
        str, typer.Option(help="A file (`limbeck teachers`), or package.module:name of a model.")
    ],
    data: Table,
    out: Annotated[Path, typer.Option(help="The folder for the finalists and the report.")],
    into: Annotated[
        str | None, typer.Option(help="Only these students, by commas; all by default.")
    ] = None,
    seconds: Annotated[float, typer.Option(help="What all ways may take together.")] = 120.0,
    max_numbers: Annotated[
        int, typer.Option(help="The most numbers that a reader must hold.")
    ] = 64,
    weights: Annotated[
        Path | None, typer.Option(help="A .safetensors file for a torch module.")
    ] = None,
    label: Annotated[str | None, typer.Option(help="The column with the true labels.")] = None,
    drop: Annotated[list[str] | None, typer.Option(help="A column to leave out.")] = None,
    classes: Annotated[
        str | None, typer.Option(help="The classes in the order of the outputs, by commas.")
    ] = None,
    score_kind: Annotated[
        str | None, typer.Option(help="What the outputs are: logit, probability, label or value.")
    ] = None,
    preprocess: Annotated[
        str | None,
        typer.Option(
            help="package.module:name of a function from the table's rows to the model's."
        ),
    ] = None,
    cases: Cases = None,
    duplicates: Identical = "auto",
    epsilon: Share = 0.05,
    delta: Share = 0.05,
    holdout: Share = 0.3,
    seed: int = 0,
) -> None:
    """Distil a model into every kind of readable student, and say which to take."""
    from limbeck.api.load import read_named, read_table, read_teacher
    from limbeck.api.tournament import tournament as start

    with plain_errors():
        frame = read_table(Path(data))
        y = column_of(frame, label)
        for column in drop or ():
            column_of(frame, column)  # refuses what is not there
        X = frame.drop(columns=[c for c in [*(drop or []), label] if c is not None])
        result = start(
            read_teacher(teacher, weights),
            X,
            y,
            into=None if into is None else parts(into),
            seconds=seconds,
            max_numbers=max_numbers,
            epsilon=epsilon,
            delta=delta,
            holdout=holdout,
            cases=cases,
            duplicates=duplicates_rule(duplicates),
            classes=class_names(classes, y),
            score_kind=score_kind,
            preprocess=None if preprocess is None else read_named(preprocess),
            seed=seed,
        )
        written = result.save(out)
        console = Console()
        console.print(result)
        console.print(Text(f"\nWritten to {written}/: open {written / 'report.html'}"))
