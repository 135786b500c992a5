"""``limbeck tune``: a search for settings, as a run file says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from limbeck.cli.errors import Terminated, plain_errors, stopped
from limbeck.cli.options import print_result

__all__ = ["tune"]


def tune(
    run: Annotated[
        Path, typer.Argument(help=r"A run.yaml with over: {setting: \[choices]}; see docs/tune.md.")
    ],
) -> None:
    """Search for the settings of a student and, as long, of its control; goes on after a kill."""
    from limbeck.api.run_file import read_run
    from limbeck.api.search_file import OF_SEARCH, tuned
    from limbeck.networks.training.processes import first

    with plain_errors():
        try:
            result = tuned(run)
        except (KeyboardInterrupt, Terminated) as error:
            out = read_run(run, OF_SEARCH).get("out")
            stopped(error, [Path(out)] if out else [])
        if first():
            print_result(result, Path(result.result.settings["out"]))
