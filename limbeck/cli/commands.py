"""The same door from a shell."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from rich.console import Console
from rich.text import Text

import limbeck
from limbeck.core.errors import LimbeckError

__all__ = ["app", "main"]

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Distil a model into a readable student, with a certificate and a control.",
)

Share = Annotated[float, typer.Option(help="Strictly between 0 and 1.")]
Table = Annotated[Path, typer.Option(help="A .parquet or .csv file with one row an input.")]
StudentFile = Annotated[Path, typer.Option(help="student.json, as limbeck wrote it.")]
Answers = Annotated[str, typer.Option(help="The column with the teacher's answers.")]
Cases = Annotated[
    str | None,
    typer.Option(help="A column, such as a patient: rows that may depend on each other."),
]
Identical = Annotated[
    str, typer.Option(help="What identical rows are: auto, drop (copies) or keep (own draws).")
]
Seen = Annotated[
    Path | None, typer.Option(help="Hashes of training rows; seen.npy beside the student if there.")
]


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"limbeck {limbeck.__version__}")
        raise typer.Exit


@app.callback()
def _start(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """Runs before every command."""


@app.command()
def distill(
    run: Annotated[
        Path | None, typer.Argument(help="A run.yaml, for a network into a smaller network.")
    ] = None,
    teacher: Annotated[
        str | None, typer.Option(help="package.module:name of a model or a factory.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="A .parquet or .csv file with one row an input.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The folder for the student and its papers.")
    ] = None,
    into: Annotated[str, typer.Option(help="tree, junta or wavelet.")] = "tree",
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
    group: Annotated[
        str | None, typer.Option(help="A column, or class: one more bound a group.")
    ] = None,
    weight: Annotated[
        str | None, typer.Option(help="The column with how much each row counts; no feature.")
    ] = None,
    class_weight: Annotated[
        str | None, typer.Option(help="balanced: all classes weigh the same.")
    ] = None,
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
    seed: int = 0,
) -> None:
    """Distil a model into a student; print the table and write a folder.

    Either with a run.yaml, or with --teacher, --data and --out.
    """
    from limbeck.api.distill import distill as start
    from limbeck.api.load import read_named, read_table, read_teacher

    with _plainly():
        if run is not None:
            _refuse_beside_run(teacher=teacher, data=data, out=out, weights=weights, label=label)
            _network(run, resumed=False)
            return
        name, table, folder = _all_given(teacher=teacher, data=data, out=out)
        frame = read_table(Path(table))
        y = _column(frame, label)
        for column in drop or ():
            _column(frame, column)  # refuses what is not there
        X = frame.drop(columns=[c for c in [*(drop or []), label] if c is not None], errors="raise")
        result = start(
            read_teacher(str(name), weights),
            X,
            y,
            into=into,
            epsilon=epsilon,
            delta=delta,
            holdout=holdout,
            groups=_groups(frame, group),
            cases=cases,
            duplicates=_rule(duplicates),
            sample_weight=weight,
            class_weight=class_weight,
            classes=_classes(classes, y),
            score_kind=score_kind,
            preprocess=None if preprocess is None else read_named(preprocess),
            seed=seed,
            max_leaves=max_leaves,
            leaves=leaves,
            queries=queries,
            sampler=sampler,
            query_weight=query_weight,
        )
        written = result.save(Path(folder))
        console = Console()
        console.print(result)
        console.print(Text(f"\nWritten to {written}/: open {written / 'report.html'}"))


@app.command()
def resume(
    folder: Annotated[Path, typer.Argument(help="The folder of a run that was cut off.")],
) -> None:
    """Go on with a run of `limbeck distill run.yaml` where it was cut off."""
    with _plainly():
        _network(folder, resumed=True)


@app.command()
def certify(
    student: StudentFile,
    rows: Table,
    answers: Answers = "teacher_label",
    delta: Share = 0.05,
    epsilon: Annotated[float | None, typer.Option(help="The bound that is wanted.")] = None,
    group: Annotated[str | None, typer.Option(help="A column: one more bound a group.")] = None,
    cases: Cases = None,
    duplicates: Identical = "auto",
    seen: Seen = None,
    out: Annotated[Path | None, typer.Option(help="Write the certificate to this file.")] = None,
) -> None:
    """Certify a student on fresh rows that carry the teacher's answers; no teacher is needed."""
    from limbeck.api.load import read_rows, read_seen
    from limbeck.certificates.certificate_file import save
    from limbeck.certificates.certify import certify as run
    from limbeck.certificates.wording import upward
    from limbeck.students.files import load

    with _plainly():
        pupil, frame = load(student), read_rows(rows)
        certificate = run(
            pupil,
            frame,
            _column(frame, answers),
            delta=delta,
            epsilon=epsilon,
            groups=_column(frame, group),
            cases=_column(frame, cases),
            duplicates=_rule(duplicates),
            seen=read_seen(seen, student),
        )
        console = Console()
        console.print(Text(certificate.statement))
        for line in certificate.assumptions:
            console.print(Text(f"  provided that {line[0].lower()}{line[1:]}", style="dim"))
        for bound in certificate.groups:
            console.print(
                Text(
                    f"  {bound.group}: at most {upward(100 * bound.epsilon)}%"
                    f" ({bound.n} {'rows' if cases is None else 'cases'})"
                )
            )
        if out is not None:
            console.print(Text(f"Written to {save(certificate, out)}"))
        if not certificate.reached:
            raise typer.Exit(1)


@app.command()
def verify(
    certificate: Annotated[Path, typer.Argument(help="certificate.json")],
    student: StudentFile,
    rows: Table,
    answers: Answers = "teacher_label",
    group: Annotated[
        str | None, typer.Option(help="The column of the groups; 'group' by default.")
    ] = None,
    cases: Annotated[
        str | None, typer.Option(help="The column of the cases; 'case' by default.")
    ] = None,
    seen: Seen = None,
) -> None:
    """Recompute a certificate, compare, and say what no check shows; exits with 1 if it differs."""
    from limbeck.api.load import read_rows, read_seen
    from limbeck.certificates.certificate_file import load as read
    from limbeck.certificates.verification import verify as run
    from limbeck.students.files import load

    with _plainly():
        frame, stated = read_rows(rows), read(certificate)
        if group is None and stated.groups and "group" in frame.columns:
            group = "group"  # as Distillation.save names them
        if cases is None and stated.settings.get("cases") and "case" in frame.columns:
            cases = "case"
        found = run(
            certificate,
            load(student),
            frame,
            _column(frame, answers),
            groups=_column(frame, group),
            cases=_column(frame, cases),
            seen=read_seen(seen, student),
        )
        Console().print(Text(str(found)))
        if not found.ok:
            raise typer.Exit(1)


@app.command()
def budget(
    epsilon: Share,
    delta: Share,
    into: Annotated[
        str,
        typer.Option(help="tree, junta, rules, linear, m_of_n, scorecard or additive."),
    ] = "tree",
    features: Annotated[int, typer.Option(help="Number of columns.")] = 10,
    depth: Annotated[
        int | None, typer.Option(help="Of the tree; or the most literals in a rule.")
    ] = None,
    leaves: Annotated[int | None, typer.Option(help="Of the tree; or the most rules.")] = None,
    k: Annotated[
        int | None,
        typer.Option(help="Variables of the junta, literals of m-of-n, items of the scorecard."),
    ] = None,
    thresholds: Annotated[int, typer.Option(help="Tests a feature; 1 for booleans.")] = 1,
    classes: Annotated[int, typer.Option(help="Number of classes.")] = 2,
    points: Annotated[int | None, typer.Option(help="The most points of a scorecard item.")] = None,
    pairs: Annotated[int, typer.Option(help="Pairs of features in the additive model.")] = 0,
    disagreement: Annotated[
        float | None,
        typer.Option(help="The best student disagrees with the teacher at most at this rate."),
    ] = None,
    frontier: Annotated[
        int | None, typer.Option(help="Students on the Pareto frontier for this teacher.")
    ] = None,
    frontier_vc: Annotated[
        int | None, typer.Option(help="VC dimension of the Pareto frontier.")
    ] = None,
    mutual_vc: Annotated[
        int | None, typer.Option(help="Mutual VC dimension of the teachers and the students.")
    ] = None,
) -> None:
    """Upper and lower bounds on the rows for distilling a teacher, and for learning instead."""
    from limbeck.certificates.budgets import budget as run

    with _plainly():
        found = run(
            into,
            epsilon,
            delta,
            features=features,
            depth=depth,
            leaves=leaves,
            k=k,
            thresholds=thresholds,
            classes=classes,
            points=points,
            pairs=pairs,
            disagreement=disagreement,
            frontier=frontier,
            frontier_vc=frontier_vc,
            mutual_vc=mutual_vc,
        )
        Console().print(found)


@app.command()
def audit(
    scores: Annotated[
        Path, typer.Argument(help="A table with one row a case: .csv, .tsv, .txt, .parquet.")
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
    drop: Annotated[list[str] | None, typer.Option(help="A column to leave out.")] = None,
    missing: Annotated[
        list[str] | None, typer.Option(help="A value that stands for missing, such as 999.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write the page to this .html file.")] = None,
    group: Annotated[
        list[str] | None,
        typer.Option(help="A column, or 'race x sex': one more answer a group."),
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
    bags: Annotated[int, typer.Option(help="Resamples behind the bands.")] = 100,
    seed: int = 0,
) -> None:
    """Audit a black box from a file of its scores; print the answers and write a page."""
    from limbeck.api.audit import audit as run
    from limbeck.api.load import read_table
    from limbeck.reports.document import place
    from limbeck.results.audit_sections.tables import audit_table

    with _plainly():
        if report is not None:
            place(report)  # refuses before minutes of work
        found = run(
            read_table(scores),
            score=score,
            outcome=outcome,
            drop=tuple(drop or ()),
            groups=tuple(group or ()),
            cases=cases,
            frequency_weight=frequency_weight,
            sampling_weight=sampling_weight,
            positive=positive,
            score_levels=None if score_levels is None else _parts(score_levels),
            missing=tuple(missing or ()),
            threshold=threshold,
            favourable=cast(Any, favourable),
            bags=bags,
            seed=seed,
        )
        console = Console()
        console.print(audit_table(found))
        if report is not None:
            console.print(Text(f"\nWritten to {found.report(report)}"))


def main() -> None:
    """Entry point of the command ``limbeck``."""
    app()


def _network(path: Path, *, resumed: bool) -> None:
    """Run a run.yaml or go on with its folder; only the first of several processes prints."""
    from limbeck.api import run_file
    from limbeck.networks.training.processes import first

    try:
        result = run_file.resume(path) if resumed else run_file.run(path)
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted; what was done is kept: `limbeck resume` goes on.\n")
        raise typer.Exit(130) from None
    if first():
        console = Console()
        console.print(result)
        folder = result.settings["out"]
        console.print(Text(f"\nWritten to {folder}/: open {Path(folder) / 'report.html'}"))


def _refuse_beside_run(**given: Any) -> None:
    from limbeck.core.errors import InvalidInput

    for name, value in given.items():
        if value is not None:
            raise InvalidInput(
                f"--{name} was given beside a run file.", f"Write it into the file: {name}: ..."
            )


def _all_given(**given: Any) -> list[Any]:
    from limbeck.core.errors import InvalidInput

    for name, value in given.items():
        if value is None:
            raise InvalidInput(f"--{name} is missing.", f"Give --{name}, or a run.yaml.")
    return list(given.values())


@contextmanager
def _plainly() -> Iterator[None]:
    """Errors raised on purpose become two sentences and exit status 2."""
    try:
        yield
    except LimbeckError as error:
        _told_once(error)
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted; nothing was written.\n")
        raise typer.Exit(130) from None


def _told_once(error: LimbeckError) -> None:
    """Print an error; of several processes that meet the same one alone prints it."""

    def tell() -> None:
        console = Console(stderr=True)
        console.print(Text(error.problem, style="red"))
        console.print(Text(error.remedy))

    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        tell()
        return
    from limbeck.networks.training.processes import once

    once(str(error), tell)


def _column(frame: Any, name: str | None) -> Any:
    from limbeck.core.errors import InvalidInput, did_you_mean

    if name is None:
        return None
    if name not in frame.columns:
        raise InvalidInput(f"There is no column {name!r}.", did_you_mean(name, frame.columns))
    return frame[name].to_numpy()


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")]


def _rule(name: str) -> Any:
    """What identical rows are, refused where there is no such rule."""
    from limbeck.core.errors import InvalidInput, did_you_mean
    from limbeck.data.duplicates import RULES

    if name not in RULES:
        raise InvalidInput(f"--duplicates is {name!r}.", did_you_mean(name, RULES))
    return name


def _groups(frame: Any, name: str | None) -> Any:
    """A column, or "class" for the teacher's classes where no column is called so."""
    return name if name == "class" and name not in frame.columns else _column(frame, name)


def _classes(text: str | None, y: Any) -> list[Any] | None:
    """Classes named in the shell, of the type that the labels have."""
    if text is None:
        return None
    names = _parts(text)
    if y is None:
        return names
    known = {str(label): label for label in set(y.tolist())}
    return [known.get(name, name) for name in names]
