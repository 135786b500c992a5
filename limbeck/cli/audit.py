"""``limbeck audit``: a table of scores."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, cast

import typer
from rich.console import Console
from rich.text import Text

from limbeck.cli.errors import plain_errors
from limbeck.cli.options import Drop, ShowProgress, parts

__all__ = ["audit"]


def audit(
    scores: Annotated[
        Path, typer.Argument(help="A table with one row per case: .csv, .tsv, .txt, .parquet.")
    ],
    score: Annotated[str, typer.Option(help="The column with the audited scores.")],
    outcome: Annotated[
        str | None, typer.Option(help="The column with what happened, 0 or 1.")
    ] = None,
    positive: Annotated[
        str | None, typer.Option(help="The outcome's value that means that it happened.")
    ] = None,
    score_levels: Annotated[
        str | None, typer.Option(help="A score in words: its levels, lowest first, by commas.")
    ] = None,
    features: Annotated[
        list[str] | None, typer.Option(help="A column to audit; all others by default.")
    ] = None,
    drop: Drop = None,
    missing: Annotated[
        list[str] | None, typer.Option(help="A value that stands for missing, such as 999.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write the page to this .html file.")] = None,
    groups: Annotated[
        list[str] | None,
        typer.Option(help="A column, or 'race x sex': one more answer per group."),
    ] = None,
    cases: Annotated[
        str | None, typer.Option(help="The column that names the case of each row.")
    ] = None,
    frequency_weight: Annotated[
        str | None, typer.Option(help="The column with how many people a row stands for.")
    ] = None,
    sampling_weight: Annotated[
        str | None, typer.Option(help="The column with survey weights.")
    ] = None,
    threshold: Annotated[
        float | None, typer.Option(help="The least score that is selected, for rates by group.")
    ] = None,
    favourable: Annotated[
        str | None,
        typer.Option(help="'high' or 'low': which decision is favourable, for impact ratios."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="A folder for the audit; one that was stopped goes on there."),
    ] = None,
    pairs: Annotated[
        int, typer.Option(help="The most pairs of features with a table of their own.")
    ] = 0,
    bags: Annotated[int, typer.Option(help="Resamples behind the bands.")] = 100,
    folds: Annotated[int, typer.Option(help="Folds of the cross-fitted predictions.")] = 5,
    delta: Annotated[
        float, typer.Option(help="One less the level of all intervals and bands.")
    ] = 0.05,
    seed: int = 0,
    progress: ShowProgress = None,
) -> None:
    """Audit a black box from a file of its scores; print the answers and write a page."""
    from limbeck.api.audit import audit as run
    from limbeck.api.load import read_table
    from limbeck.reports.document import place
    from limbeck.results.audit_sections.tables import audit_table

    with plain_errors(*filter(None, [out])):
        if report is not None:
            place(report)  # refuses before minutes of work
        found = run(
            read_table(scores),
            score=score,
            outcome=outcome,
            features=features or None,
            drop=tuple(drop or ()),
            groups=tuple(groups or ()),
            cases=cases,
            frequency_weight=frequency_weight,
            sampling_weight=sampling_weight,
            positive=positive,
            score_levels=None if score_levels is None else parts(score_levels),
            missing=tuple(missing or ()),
            threshold=threshold,
            favourable=cast(Any, favourable),
            pairs=pairs,
            bags=bags,
            folds=folds,
            delta=delta,
            seed=seed,
            out=out,
            progress=progress,
        )
        console = Console()
        console.print(audit_table(found))
        if report is not None:
            console.print(Text(f"\nWritten to {found.report(report)}"))
