"""``limbeck label``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from limbeck.cli.errors import plain_errors
from limbeck.cli.options import Classes, ScoreKindName, ShowProgress, parts, stored_answers

__all__ = ["label"]


def label(
    texts: Annotated[
        Path,
        typer.Argument(help="A .csv, .parquet or .jsonl file, or a Hugging Face folder."),
    ],
    teacher: Annotated[
        str, typer.Option(help="A file (`limbeck teachers`), or package.module:name of a model.")
    ],
    out: Annotated[Path, typer.Option(help="The .jsonl file for texts, labels, probabilities.")],
    column: Annotated[str | None, typer.Option(help="The column that holds the texts.")] = None,
    budget: Annotated[
        int | None, typer.Option(help="Label at most so many texts, chosen by chance.")
    ] = None,
    classes: Classes = None,
    score_kind: ScoreKindName = None,
    prompt: Annotated[
        str | None, typer.Option(help="For a local model that writes: a text with {text}.")
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="By what a model of package.module:name is known again; see the docs."),
    ] = None,
    seed: int = 0,
    progress: ShowProgress = None,
) -> None:
    """Label texts by a teacher; a run that was cut off goes on where it was."""
    from limbeck.api.label import label as start
    from limbeck.api.label import unfinished
    from limbeck.api.load import read_teacher
    from limbeck.core.errors import InvalidInput
    from limbeck.data.text_files import texts_given

    with plain_errors(unfinished(out)) as keeps:
        if out.suffix.lower() != ".jsonl":
            raise InvalidInput(f"--out is {out.name!r}.", "Give the name of a .jsonl file.")
        given = texts_given(texts, column)
        named = None if classes is None else parts(classes)
        more = {"classes": named, "prompt": prompt, "score_kind": score_kind}
        options: dict[str, Any] = {name: value for name, value in more.items() if value is not None}
        model = read_teacher(teacher, None)
        keeps += stored_answers(model)
        found = start(
            model,
            given,
            budget=budget,
            out=out,
            name=name,
            seed=seed,
            progress=progress,
            **options,
        )
        typer.echo(str(found))
        typer.echo(f"Written to {out}.")
