"""The command ``limbeck``: one command per file."""

from __future__ import annotations

from typing import Annotated

import typer

import limbeck
from limbeck.cli.advise import advise
from limbeck.cli.audit import audit
from limbeck.cli.budget import budget
from limbeck.cli.catalogue import methods, students, teachers
from limbeck.cli.certify import certify
from limbeck.cli.distill import distill, resume
from limbeck.cli.export import export
from limbeck.cli.generate import generate
from limbeck.cli.label import label
from limbeck.cli.output import plain_output
from limbeck.cli.routes import routes
from limbeck.cli.select import select
from limbeck.cli.sign import sign
from limbeck.cli.tournament import tournament
from limbeck.cli.tune import tune
from limbeck.cli.verify import verify

__all__ = ["app", "main"]

app = typer.Typer(
    add_completion=True,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Distil a model into a readable student, with a certificate and a control.",
)
for command in (
    distill, tune, tournament, resume, generate, select, certify, verify, sign, export, budget,
    label, audit, advise, students, methods, routes, teachers,
):  # fmt: skip
    app.command()(command)


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


def main() -> None:
    """Entry point of the command ``limbeck``."""
    with plain_output():
        app()
