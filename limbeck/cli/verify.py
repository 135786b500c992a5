"""``limbeck verify``: what a third party runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from limbeck.cli.errors import plain_errors
from limbeck.cli.options import Answers, Seen, StudentFile, Table, column_of
from limbeck.core.printable import visible

__all__ = ["verify"]


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
    public_key: Annotated[
        Path | None,
        typer.Option(help="A .pem file: the Ed25519 key that must have signed the certificate."),
    ] = None,
) -> None:
    """Recompute a certificate, compare, and say what no check shows; exits with 1 if it differs."""
    from limbeck.api.load import read_rows, read_seen
    from limbeck.certificates.certificate_file import load as read
    from limbeck.certificates.verification import verify as run
    from limbeck.data.row_batches import is_batched
    from limbeck.students.files import load

    with plain_errors():
        frame, stated = read_rows(rows), read(certificate)
        named = [] if is_batched(frame) else list(frame.columns)
        if group is None and stated.groups and "group" in named:
            group = "group"  # as Distillation.save names them
        if cases is None and stated.settings.get("cases") and "case" in named:
            cases = "case"
        found = run(
            certificate,
            load(student),
            frame,
            column_of(frame, answers),
            groups=column_of(frame, group),
            cases=column_of(frame, cases),
            seen=read_seen(seen, student),
            public_key=public_key,
        )
        Console().print(Text(visible(str(found))))
        if not found.ok:
            raise typer.Exit(1)
