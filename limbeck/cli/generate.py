"""``limbeck generate``."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Annotated, Any

import typer

from limbeck.cli.errors import plain_errors
from limbeck.cli.options import (
    Share,
    ShowProgress,
    class_names,
    column_of,
    method_settings,
    print_result,
)

__all__ = ["generate"]


def generate(
    teacher: Annotated[
        str, typer.Option(help="Who writes: a chat model's .yaml file, or hf:folder.")
    ],
    out: Annotated[
        Path, typer.Option(help="The folder of the set; a run that was stopped goes on there.")
    ],
    n: Annotated[int, typer.Option(help="Instructions, or texts in all, to keep.")],
    seeds: Annotated[
        Path | None,
        typer.Option(help="A .jsonl file of tasks; or .csv or .parquet with texts and --label."),
    ] = None,
    method: Annotated[
        str | None, typer.Option(help="How rows are written; by default what the seeds are for.")
    ] = None,
    text: Annotated[str, typer.Option(help="The column with the texts, in tables.")] = "text",
    label: Annotated[
        str | None, typer.Option(help="The column with the classes, in tables.")
    ] = None,
    classes: Annotated[str | None, typer.Option(help="The classes, by commas.")] = None,
    question: Annotated[
        str | None, typer.Option(help="What is asked about a text; the teacher's by default.")
    ] = None,
    real: Annotated[
        Path | None, typer.Option(help="A table of real texts that the set is compared with.")
    ] = None,
    test: Annotated[
        Path | None, typer.Option(help="A table or .jsonl file of test rows to stay clear of.")
    ] = None,
    overlap: Annotated[
        int, typer.Option(help="Words in a row that a text may not share with a test row.")
    ] = 13,
    near_duplicates: Annotated[
        float,
        typer.Option(help="The similarity from which on a row is a near-duplicate and dropped."),
    ] = 0.7,
    encoder: Annotated[
        str | None, typer.Option(help="hf:folder of a sentence encoder, to measure the spread.")
    ] = None,
    labeller: Annotated[
        str | None, typer.Option(help="Who labels for the comparison; the teacher by default.")
    ] = None,
    holdout: Share = 0.3,
    delta: Share = 0.05,
    max_requests: Annotated[int | None, typer.Option(help="The most prompts.")] = None,
    max_tokens: Annotated[
        int | None,
        typer.Option(help="The longest answer that holds instructions or texts: 1024 for tasks."),
    ] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="Another setting of the method, its value as JSON: --set temperature=0.5;"
            " may be given again.",
        ),
    ] = None,
    seed: int = 0,
    progress: ShowProgress = None,
) -> None:
    """Let a language model write a training set; print what was asked, kept and dropped."""
    from limbeck.api.generate import generate as start

    with plain_errors(out):
        options = {*inspect.signature(start).parameters, "question", "max_tokens", "classes"}
        settings = method_settings(setting, options)
        if question is not None:
            settings["question"] = question
        if max_tokens is not None:
            settings["max_tokens"] = max_tokens
        if classes is not None:
            settings["classes"] = class_names(classes, None)
        texts, y = _table(real, text, label)
        if teacher.startswith("hf:"):
            typer.echo(
                f"{teacher} writes on this machine, on a processor some minutes for a few rows;"
                f" what it answered is kept in {out}, and the same line goes on from there.",
                err=True,
            )
        result = start(
            teacher,
            _seeds(seeds, text, label),
            n=n,
            out=out,
            method=method,
            real=texts,
            y=y,
            labeller=labeller,
            test=_table(test, text, None)[0] if _is_table(test) else test,
            overlap=overlap,
            near_duplicates=near_duplicates,
            encoder=encoder,
            holdout=holdout,
            delta=delta,
            max_requests=max_requests,
            seed=seed,
            progress=progress,
            **settings,
        )
        print_result(result, out)


def _is_table(path: Path | None) -> bool:
    return path is not None and path.suffix in (".csv", ".parquet")


def _seeds(path: Path | None, text: str, label: str | None) -> Any:
    """Tasks of a JSONL file, or texts with their classes of a table."""
    if path is None or not _is_table(path):
        return path
    from limbeck.core.errors import InvalidInput

    if label is None:
        raise InvalidInput(f"{str(path)!r} is a table of texts.", "Name their classes: --label.")
    return _table(path, text, label)


def _table(path: Path | None, text: str, label: str | None) -> tuple[Any, Any]:
    """The texts of a table, and their labels where the column is there."""
    if path is None:
        return None, None
    from limbeck.api.load import read_table

    frame = read_table(path)
    wanted = label if label in frame.columns else None
    return column_of(frame, text), column_of(frame, wanted)
