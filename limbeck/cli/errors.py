"""Errors that were raised on purpose, as two sentences and an exit status."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import typer
from rich.console import Console
from rich.text import Text

from limbeck.core.errors import LimbeckError
from limbeck.core.printable import visible

__all__ = ["Terminated", "plain_errors", "stopped"]


class Terminated(SystemExit):
    """SIGTERM, as an error: files on the way are written whole or removed, then all ends."""

    code = 143  # 128 + SIGTERM, as shells count


@contextmanager
def plain_errors(*keeps: Path) -> Iterator[list[Path]]:
    """Errors raised on purpose become two sentences and exit status 2.

    Parameters
    ----------
    *keeps : Path
        Where the command keeps what is finished, so that the same command goes on after an
        interruption (exit status 130) or SIGTERM (143); the first that exists is named. The
        command may add places that it learns of.
    """
    places = list(keeps)
    with _sigterm():
        try:
            yield places
        except LimbeckError as error:
            _print_once(error)
            raise typer.Exit(2) from None
        except (KeyboardInterrupt, Terminated) as error:
            stopped(error, places)


def stopped(error: BaseException, keeps: Sequence[Path], command: str = "") -> NoReturn:
    """Say that the command was stopped, and how to go on; exit.

    Parameters
    ----------
    error : KeyboardInterrupt or Terminated
        Why.
    keeps : sequence of Path
        Where finished work is kept.
    command : str
        What goes on with it; the same command by default.
    """
    why, code = ("Ended by SIGTERM", 143) if isinstance(error, Terminated) else ("Interrupted", 130)
    kept = next((place for place in keeps if place.exists()), None)
    if kept is None:
        sys.stderr.write(f"{why}; nothing was written.\n")
    else:
        command = command or shlex.join(["limbeck", *sys.argv[1:]])
        sys.stderr.write(f"{why}; what is finished is kept in {kept}. To go on: {command}\n")
    raise typer.Exit(code) from None


@contextmanager
def _sigterm() -> Iterator[None]:
    """SIGTERM as an error, where this is the main thread and nobody else handles it."""

    def end(*_: object) -> NoReturn:
        raise Terminated(Terminated.code)

    try:
        default = signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        before = signal.signal(signal.SIGTERM, end) if default else None
    except ValueError:  # not the main thread
        default = False
    try:
        yield
    finally:
        if default:
            signal.signal(signal.SIGTERM, before)


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
