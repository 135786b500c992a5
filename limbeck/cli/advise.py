"""``limbeck advise``: does the distillation of a run file pay?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from limbeck.cli.errors import plain_errors
from limbeck.cli.options import print_result

__all__ = ["advise"]


def advise(
    run: Annotated[
        Path, typer.Argument(help="A run.yaml, as for `limbeck distill`; see docs/when.md.")
    ],
    budget: Annotated[
        str | None, typer.Option(help='How long it may take: "10 min", "90 s"; else the file\'s.')
    ] = None,
) -> None:
    """Say by short runs whether a distillation pays, and what would make it pay more."""
    from limbeck.api.advice_file import advised

    with plain_errors():
        try:
            result = advised(run, budget)
        except KeyboardInterrupt:
            sys.stderr.write("Interrupted; what was done is kept: the same command goes on.\n")
            raise typer.Exit(130) from None
        print_result(result, Path(result.settings["out"]))
