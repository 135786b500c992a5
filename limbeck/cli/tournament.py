"""``limbeck tournament``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from limbeck.cli.errors import plain_errors
from limbeck.cli.options import (
    Cases,
    Classes,
    Drop,
    Groups,
    Identical,
    Label,
    Output,
    Preprocess,
    Regression,
    ScoreKindName,
    Share,
    ShowProgress,
    Table,
    Unit,
    Unlabelled,
    Weights,
    class_names,
    duplicates_rule,
    groups_of,
    number_or_name,
    parts,
    print_result,
    rows_and_labels,
    unlabelled_rows,
)

__all__ = ["tournament"]


def tournament(
    teacher: Annotated[
        str, typer.Option(help="A file (`limbeck teachers`), or package.module:name of a model.")
    ],
    data: Table,
    out: Annotated[
        Path,
        typer.Option(
            help="The folder for all students and the report; a run that was stopped goes on there."
        ),
    ],
    into: Annotated[
        str | None, typer.Option(help="Only these students, by commas; all by default.")
    ] = None,
    seconds: Annotated[float, typer.Option(help="What all ways may take together.")] = 120.0,
    max_numbers: Annotated[
        int, typer.Option(help="The most numbers that a reader must hold.")
    ] = 64,
    weights: Weights = None,
    label: Label = None,
    drop: Drop = None,
    classes: Classes = None,
    score_kind: ScoreKindName = None,
    regression: Regression = None,
    unit: Unit = "",
    preprocess: Preprocess = None,
    output: Output = None,
    groups: Groups = None,
    unlabelled: Unlabelled = None,
    cases: Cases = None,
    duplicates: Identical = "auto",
    epsilon: Share = 0.05,
    delta: Share = 0.05,
    holdout: Share = 0.3,
    seed: int = 0,
    n_jobs: Annotated[int, typer.Option(help="Processes; -1 for all processors.")] = 1,
    progress: ShowProgress = None,
) -> None:
    """Distil a model into every kind of readable student, and say which to take."""
    from limbeck.api.load import read_named, read_table, read_teacher
    from limbeck.api.tournament import tournament as start

    with plain_errors(out):
        frame = read_table(Path(data))
        X, y = rows_and_labels(frame, label, drop)
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
            groups=groups_of(frame, groups),
            cases=cases,
            duplicates=duplicates_rule(duplicates),
            unlabelled=None if unlabelled is None else unlabelled_rows(unlabelled, label, drop),
            classes=class_names(classes, y),
            regression=regression,
            unit=unit,
            output=number_or_name(output),
            score_kind=score_kind,
            preprocess=None if preprocess is None else read_named(preprocess),
            seed=seed,
            n_jobs=n_jobs,
            out=out,
            progress=progress,
        )
        print_result(result, out)
