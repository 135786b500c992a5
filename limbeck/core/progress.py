"""Who is told how far the work is: a progress bar on a terminal, silence elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

__all__ = ["Progress", "quiet", "shown"]


class Progress(Protocol):
    """Told how far the work is; may raise KeyboardInterrupt."""

    def __call__(self, stage: str, done: float, total: float) -> None: ...


def quiet(stage: str, done: float, total: float) -> None:
    """Progress for work that shows none.

    Parameters
    ----------
    stage : str
        Name of the stage.
    done, total : float
        How much of it is done, and of how much.
    """


@contextmanager
def shown(wanted: bool | None = None) -> Iterator[Progress]:
    """A progress bar on stderr.

    Parameters
    ----------
    wanted : bool or None
        None shows it only where stderr is a terminal.
    """
    if wanted is False or (wanted is None and not sys.stderr.isatty()):
        yield quiet
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Bar(*columns, console=Console(stderr=True, force_terminal=wanted), transient=True) as bar:
        task = bar.add_task("starting", total=1.0)

        def tell(stage: str, done: float, total: float) -> None:
            bar.update(task, description=stage, completed=done, total=max(total, 1e-9))

        yield tell
