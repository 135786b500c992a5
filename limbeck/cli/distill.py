"""``limbeck distill`` and ``limbeck resume``."""

from __future__ import annotations

import inspect
import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from limbeck.cli.errors import Terminated, plain_errors, stopped
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
    Unit,
    Unlabelled,
    Weights,
    class_names,
    duplicates_rule,
    groups_of,
    method_settings,
    number_or_name,
    parts,
    print_result,
    rows_and_labels,
    stored_answers,
    texts_and_labels,
    unlabelled_rows,
)

__all__ = ["distill", "resume"]

_OPTIONS = ("max_leaves", "leaves", "queries", "sampler", "query_weight", "budget", "labels",
            "ordered")  # fmt: skip


def distill(
    run: Annotated[
        Path | None, typer.Argument(help="A run.yaml, for a network into a smaller network.")
    ] = None,
    teacher: Annotated[
        str | None,
        typer.Option(help="A file (`limbeck teachers`), or package.module:name of a model."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            help="A .parquet or .csv file with one row per input; of texts also .jsonl, and"
            " 'texts/*.parquet'."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The folder for the student and its artifacts.")
    ] = None,
    into: Annotated[str, typer.Option(help="The student: see `limbeck students`.")] = "tree",
    method: Annotated[
        str | None, typer.Option(help="How, where several ways lead there: `limbeck methods`.")
    ] = None,
    via: Annotated[
        list[str] | None,
        typer.Option(
            help="A student on the way, or student:method, or the folder of an earlier result;"
            " several in their order."
        ),
    ] = None,
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
    sample_weight: Annotated[
        str | None, typer.Option(help="The column with how much each row counts; no feature.")
    ] = None,
    class_weight: Annotated[
        str | None, typer.Option(help="balanced: all classes weigh the same.")
    ] = None,
    unlabelled: Unlabelled = None,
    cases: Cases = None,
    duplicates: Identical = "auto",
    epsilon: Share = 0.05,
    delta: Share = 0.05,
    holdout: Share = 0.3,
    max_leaves: Annotated[int | None, typer.Option(help="The largest tree.")] = None,
    leaves: Annotated[int | None, typer.Option(help="Exactly this size.")] = None,
    queries: Annotated[
        int | None, typer.Option(help="Fresh rows to ask about; 0 for none.")
    ] = None,
    sampler: Annotated[
        str | None,
        typer.Option(help="Where they come from: auto, munge, gaussian_copula, jitter or none."),
    ] = None,
    query_weight: Annotated[
        float | None, typer.Option(help="What they count together, beside the rows: 0.5.")
    ] = None,
    budget: Annotated[
        int | None,
        typer.Option(help="Rows to ask the teacher about, those of the certificate included."),
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(help="Several labels of texts at once, by commas: their columns are 0 or 1."),
    ] = None,
    ordered: Annotated[
        str | None,
        typer.Option(help="Classes of texts in their order, by commas: low,middle,high."),
    ] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="Another setting of the method, its value as JSON: --set numbers=8,"
            """ --set 'monotone={"age": 1}'; may be given again.""",
        ),
    ] = None,
    objective: Annotated[
        str | None,
        typer.Option(
            help="Into hf:folder: TokenKD, SequenceKD, OnPolicy, PolicyGradient, MiniLLM,"
            " CrossTokenizer."
        ),
    ] = None,
    max_new_tokens: Annotated[
        int | None, typer.Option(help="Into hf:folder: tokens after a prompt at most.")
    ] = None,
    prompt_tokens: Annotated[
        int | None, typer.Option(help="Into hf:folder: part whole texts after so many tokens.")
    ] = None,
    seed: int = 0,
    progress: ShowProgress = None,
) -> None:
    """Distil a model into a student; print the table and write a folder.

    Either with a run.yaml, or with --teacher, --data and --out.
    """
    from limbeck.api.distill import distill as start
    from limbeck.api.load import read_named, read_table, read_teacher

    with plain_errors(*filter(None, [out])) as keeps:
        if run is not None:
            _check_beside_run(
                teacher=teacher, data=data, out=out, weights=weights, label=label, set=setting
            )
            run_network(run, resumed=False, progress=progress)
            return
        own_texts = into.startswith("hf:") and data is None and _is_recorded(teacher)
        name, table, folder = _require(teacher=teacher, data="" if own_texts else data, out=out)
        if into.startswith("hf:"):
            from limbeck.cli.language import distill_text

            _check_for_text(
                weights=weights, label=label, classes=classes, groups=groups,
                sample_weight=sample_weight, regression=regression, output=output, cases=cases,
                leaves=leaves, max_leaves=max_leaves, budget=budget, set=setting,
            )  # fmt: skip
            result = distill_text(
                str(name), Path(table) if table else None, into, Path(folder), objective,
                epsilon=epsilon, delta=delta, holdout=holdout, seed=seed,
                max_new_tokens=max_new_tokens, prompt_tokens=prompt_tokens, progress=progress,
            )  # fmt: skip
            print_result(result, Path(folder))
            return
        settings = method_settings(setting, {*inspect.signature(start).parameters, *_OPTIONS})
        frame = read_table(Path(table))
        several = None if labels is None else parts(labels)
        X, y = (
            rows_and_labels(frame, label, drop) if several is None
            else texts_and_labels(frame, label, several, drop)
        )  # fmt: skip
        of_texts = {"labels": several, "ordered": None if ordered is None else parts(ordered)}
        model = read_teacher(str(name), weights)
        keeps += stored_answers(model)
        result = start(
            model, X, y, into=into, method=method, out=folder, seed=seed,
            via=[_earlier(one) for one in via] if via else None,
            epsilon=epsilon, delta=delta, holdout=holdout,
            groups=groups_of(frame, groups), cases=cases, duplicates=duplicates_rule(duplicates),
            unlabelled=None if unlabelled is None else unlabelled_rows(unlabelled, label, drop),
            sample_weight=sample_weight, class_weight=class_weight, classes=class_names(classes, y),
            regression=regression, unit=unit, score_kind=score_kind, output=number_or_name(output),
            preprocess=None if preprocess is None else read_named(preprocess),
            max_leaves=max_leaves, leaves=leaves, queries=queries, sampler=sampler,
            query_weight=query_weight, budget=budget, progress=progress,
            **{name: value for name, value in of_texts.items() if value is not None}, **settings,
        )  # fmt: skip
        print_result(result, Path(folder))


def resume(
    folder: Annotated[Path, typer.Argument(help="The folder of a run that was cut off.")],
    progress: ShowProgress = None,
) -> None:
    """Go on with a run of `limbeck distill run.yaml` where it was cut off."""
    with plain_errors():
        run_network(folder, resumed=True, progress=progress)


def run_network(path: Path, *, resumed: bool, progress: bool | None = None) -> None:
    """Run a run.yaml or go on with its folder; only the first of several processes prints."""
    from limbeck.api import run_file
    from limbeck.networks.training.processes import first

    try:
        result = run_file.resume(path, progress) if resumed else run_file.run(path, progress)
    except (KeyboardInterrupt, Terminated) as error:
        folder = path if resumed else Path(run_file.read_run(path).get("out") or "run")
        stopped(error, [folder], f"limbeck resume {shlex.quote(str(folder))}")
    if first():
        print_result(result, Path(result.settings["out"]))


def _check_beside_run(**given: Any) -> None:
    from limbeck.core.errors import InvalidInput

    for name, value in given.items():
        if value is not None:
            raise InvalidInput(
                f"--{name} was given beside a run file.", f"Write it into the file: {name}: ..."
            )


def _check_for_text(**given: Any) -> None:
    from limbeck.core.errors import InvalidInput

    for name, value in given.items():
        if value is not None:
            option = name.replace("_", "-")
            raise InvalidInput(
                f"--{option} was given for a student that writes text.", f"Leave --{option} out."
            )


def _require(**given: Any) -> list[Any]:
    from limbeck.core.errors import InvalidInput

    for name, value in given.items():
        if value is None:
            raise InvalidInput(f"--{name} is missing.", f"Give --{name}, or a run.yaml.")
    return list(given.values())


def _is_recorded(teacher: str | None) -> bool:
    """Whether the teacher is a folder of recorded logits, which bring their texts."""
    return teacher is not None and (Path(teacher) / "index.json").is_file()


def _earlier(via: str) -> Any:
    """The result in a folder, where it is one; else the name as it is."""
    from limbeck.api.load import load
    from limbeck.core.errors import InvalidInput

    if "/" in via and not Path(via).is_dir():
        raise InvalidInput(
            f"There is no folder {via!r}.",
            "Give --via a student's name, or the folder that an earlier run was saved to.",
        )
    return load(via) if Path(via).is_dir() else via
