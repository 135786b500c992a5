"""``limbeck verify``: what a third party runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from limbeck.cli.errors import plain_errors
from limbeck.cli.options import ROWS_HELP, Answers, Seen, column_of, own_loss
from limbeck.core.errors import InvalidInput
from limbeck.core.printable import visible

if TYPE_CHECKING:
    from limbeck.certificates.verification import Verification

__all__ = ["verify"]


def verify(
    certificate: Annotated[
        Path, typer.Argument(help="certificate.json, or the folder of a run, whose files are taken")
    ],
    student: Annotated[
        Path | None, typer.Option(help="student.json or student.onnx, as limbeck wrote it.")
    ] = None,
    rows: Annotated[Path | None, typer.Option(help=ROWS_HELP)] = None,
    answers: Answers = "teacher_label",
    groups: Annotated[
        str | None, typer.Option(help="The column of the groups; 'group' by default.")
    ] = None,
    cases: Annotated[
        str | None, typer.Option(help="The column of the cases; 'case' by default.")
    ] = None,
    loss: Annotated[
        str | None, typer.Option(help="package.module:name of the function, where it was one.")
    ] = None,
    seen: Seen = None,
    public_key: Annotated[
        Path | None,
        typer.Option(help="A .pem file: the Ed25519 key that must have signed the certificate."),
    ] = None,
    teacher: Annotated[
        str | None,
        typer.Option(help="Of a language model's run: hf:folder, which reads all texts again."),
    ] = None,
) -> None:
    """Recompute a certificate, compare, and say what no check shows; exits with 1 if it differs."""
    from limbeck.api.load import read_rows, read_seen
    from limbeck.certificates.certificate_file import load as read
    from limbeck.certificates.texts import TEXT_LOSSES
    from limbeck.certificates.verification import verify as run
    from limbeck.data.row_batches import is_batched
    from limbeck.students.files import load

    with plain_errors():
        named_file = not certificate.is_dir()
        folder = certificate if certificate.is_dir() else certificate.parent
        certificate = folder / "certificate.json" if certificate.is_dir() else certificate
        stated = read(certificate)
        if stated.loss in TEXT_LOSSES:
            from limbeck.language.verification import verify as run_texts

            _told(run_texts(folder, teacher, public_key=public_key))
            return
        if not named_file:
            student = student or _within(folder, "student.json", "student.onnx")
            rows = rows or _within(folder, "holdout.parquet")
        lacking = [n for n, given in (("--student", student), ("--rows", rows)) if given is None]
        if lacking or student is None or rows is None:
            raise InvalidInput(
                f"{' and '.join(lacking)} {'is' if len(lacking) == 1 else 'are'} lacking: a"
                " certificate is recomputed from the student and the rows.",
                "Give --student student.json --rows rows.parquet.",
            )
        if teacher is not None:
            raise InvalidInput(
                "--teacher was given for a certificate of rows.", "Give --answers, their column."
            )
        frame = read_rows(rows)
        named = [] if is_batched(frame) else list(frame.columns)
        if groups is None and stated.groups and "group" in named:
            groups = "group"  # as Distillation.save names them
        if cases is None and stated.settings.get("cases") and "case" in named:
            cases = "case"
        found = run(
            certificate,
            load(student),
            frame,
            column_of(frame, answers),
            groups=column_of(frame, groups),
            cases=column_of(frame, cases),
            loss=own_loss(loss),
            seen=read_seen(seen, student),
            public_key=public_key,
        )
        _told(found)


def _within(folder: Path, *names: str) -> Path | None:
    """The first of these files that a folder holds."""
    return next((folder / name for name in names if (folder / name).exists()), None)


def _told(found: Verification) -> None:
    """Print what was found; exit with 1 where something differs."""
    Console().print(Text(visible(str(found))))
    if not found.ok:
        raise typer.Exit(1)
