"""``limbeck select``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from limbeck.cli.errors import plain_errors
from limbeck.cli.options import (
    Classes,
    Drop,
    Label,
    Preprocess,
    ScoreKindName,
    Share,
    ShowProgress,
    Table,
    Weights,
    class_names,
    column_of,
    parts,
    print_result,
    rows_and_labels,
)

__all__ = ["select"]


def select(
    teacher: Annotated[
        str, typer.Option(help="A file (`limbeck teachers`), or package.module:name of a model.")
    ],
    data: Table,
    n: Annotated[int, typer.Option(help="Rows to choose, in all.")],
    out: Annotated[
        Path, typer.Option(help="The folder for chosen.csv, or chosen.parquet, and the report.")
    ],
    text: Annotated[
        str | None, typer.Option(help="The column with the texts, where rows are texts.")
    ] = None,
    label: Label = None,
    drop: Drop = None,
    ways: Annotated[
        str | None,
        typer.Option(help="Some of k_means, herding, k_center, gradients, inducing_points."),
    ] = None,
    student: Annotated[
        str | None,
        typer.Option(help="What learns from the rows: kernel, or linear, by default of texts."),
    ] = None,
    encoder: Annotated[
        str | None, typer.Option(help="hf:folder of an encoder, whose vectors are compared.")
    ] = None,
    pool: Annotated[int, typer.Option(help="Rows at most from which a seed chooses.")] = 5000,
    seeds: Annotated[int, typer.Option(help="Repetitions, each with another pool.")] = 5,
    holdout: Share = 0.3,
    delta: Share = 0.05,
    weights: Weights = None,
    classes: Classes = None,
    score_kind: ScoreKindName = None,
    preprocess: Preprocess = None,
    seed: int = 0,
    progress: ShowProgress = None,
) -> None:
    """Choose few rows that teach most, and compare them with as many random rows."""
    from limbeck.api.load import read_named, read_table, read_teacher
    from limbeck.api.select import select as start

    with plain_errors():
        frame = read_table(Path(data))
        X, y = rows_and_labels(frame, label, drop)
        if text is not None:
            X = column_of(frame, text)
        outputs: dict[str, Any] = {"classes": class_names(classes, y), "score_kind": score_kind}
        outputs["preprocess"] = None if preprocess is None else read_named(preprocess)
        found = start(
            read_teacher(teacher, weights),
            X,
            y,
            n=n,
            ways=None if ways is None else parts(ways),
            student=student,
            encoder=encoder,
            pool=pool,
            holdout=holdout,
            seeds=seeds,
            delta=delta,
            seed=seed,
            progress=progress,
            **{name: value for name, value in outputs.items() if value is not None},
        )
        found.save(out)
        chosen = frame.iloc[found.chosen()]
        if Path(data).suffix == ".parquet":
            chosen.to_parquet(out / "chosen.parquet")
        else:
            chosen.to_csv(out / "chosen.csv", index=False)
        print_result(found, out)
