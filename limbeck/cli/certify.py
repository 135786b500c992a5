"""``limbeck certify``: fresh rows with the teacher's answers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from limbeck.cli.errors import plain_errors
from limbeck.cli.options import (
    ROWS_HELP,
    Answers,
    Cases,
    Identical,
    Key,
    Seen,
    Share,
    StudentFile,
    column_of,
    duplicates_rule,
    own_loss,
    parts,
    signing_key,
)

__all__ = ["certify"]


def certify(
    student: StudentFile,
    rows: Annotated[Path, typer.Option(help=ROWS_HELP)],
    answers: Answers = "teacher_label",
    delta: Share = 0.05,
    epsilon: Annotated[float | None, typer.Option(help="The bound that is wanted.")] = None,
    loss: Annotated[
        str | None,
        typer.Option(
            help="disagreement, tolerance, absolute, squared, or package.module:name of a function."
        ),
    ] = None,
    loss_range: Annotated[
        str | None, typer.Option(help="The range that the loss never leaves: 0,1.")
    ] = None,
    tolerance: Annotated[
        float | None, typer.Option(help="A tolerance fixed beforehand, in units of the answer.")
    ] = None,
    bound: Annotated[
        str, typer.Option(help="Of losses that are not counts: betting or empirical-bernstein.")
    ] = "betting",
    candidates: Annotated[int, typer.Option(help="Students compared on these rows.")] = 1,
    groups: Annotated[str | None, typer.Option(help="A column: one more bound per group.")] = None,
    cases: Cases = None,
    duplicates: Identical = "auto",
    seen: Seen = None,
    out: Annotated[Path | None, typer.Option(help="Write the certificate to this file.")] = None,
    key: Key = None,
) -> None:
    """Certify a student on fresh rows that carry the teacher's answers; no teacher is needed."""
    from limbeck.api.load import read_rows, read_seen
    from limbeck.certificates.certificate_file import save
    from limbeck.certificates.certify import certify as run
    from limbeck.certificates.wording import upward
    from limbeck.core.errors import InvalidInput
    from limbeck.students.files import load

    with plain_errors():
        if key is not None and out is None:
            raise InvalidInput("--key is given without --out.", "Give --out certificate.json.")
        limits = None if loss_range is None else _range(loss_range)
        private = None if key is None else signing_key(key)
        pupil, frame = load(student), read_rows(rows)
        certificate = run(
            pupil,
            frame,
            column_of(frame, answers),
            delta=delta,
            epsilon=epsilon,
            loss=own_loss(loss),
            loss_range=limits,
            tolerance=tolerance,
            bound=bound,
            candidates=candidates,
            groups=column_of(frame, groups),
            cases=column_of(frame, cases),
            duplicates=duplicates_rule(duplicates),
            seen=read_seen(seen, student),
        )
        console = Console()
        console.print(Text(certificate.statement))
        for line in certificate.assumptions:
            console.print(Text(f"  provided that {line[0].lower()}{line[1:]}", style="dim"))
        for one in certificate.groups:
            console.print(
                Text(
                    f"  {one.group}: at most {upward(100 * one.epsilon)}%"
                    f" ({one.n} {'rows' if cases is None else 'cases'})"
                )
            )
        if private is not None:
            certificate = certificate.sign(private)
        if out is not None:
            console.print(Text(f"Written to {save(certificate, out)}"))
        if not certificate.reached:
            raise typer.Exit(1)


def _range(text: str) -> tuple[float, float]:
    """Two numbers with a comma between them."""
    from limbeck.core.errors import InvalidInput

    try:
        low, high = map(float, parts(text))
    except ValueError:
        raise InvalidInput(
            f"--loss-range is {text!r}.", "Give the least and the largest loss: --loss-range 0,1."
        ) from None
    return low, high
