"""Errors that were raised on purpose, as two sentences and an exit status."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.text import Text

from limbeck.core.errors import LimbeckError
from limbeck.core.printable import visible

__all__ = ["plain_errors"]


@contextmanager
def plain_errors() -> Iterator[None]:
    """Errors raised on purpose become two sentences and exit status 2."""
    try:
        yield
    except LimbeckError as error:
        _print_once(error)
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted; nothing was written.\n")
        raise typer.Exit(130) from None


def _print_once(error: LimbeckError) -> None:
    """Print an error; of several processes that meet the same one alone prints it."""

    def tell() -> None:
        console = Console(stderr=True)
        console.print(Text(visible(error.problem), style="red"))
        console.print(Text(visible(error.remedy)))

    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        tell()
        return
    from limbeck.networks.training.processes import once

    once(str(error), tell)
