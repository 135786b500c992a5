"""A coroutine run to its end, in a script and in a notebook, and ended in order by SIGTERM."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

__all__ = ["run_coroutine"]


def run_coroutine(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run to the end, also where a loop is running already, as in a notebook.

    An error that a handler of SIGTERM raises would fall into the loop at any place, and leave
    coroutines that nobody awaits. So the handler is called once everything was cancelled and has
    ended, as `asyncio.run` does for the interruption from the keyboard.

    Parameters
    ----------
    coroutine : coroutine
        What is run.
    """
    try:
        asyncio.get_running_loop()
        running = True
    except RuntimeError:
        running = False
    try:
        if running:
            with ThreadPoolExecutor(1) as pool:
                pool.submit(asyncio.run, coroutine).result()
        else:
            _run_here(coroutine)
    except BaseExceptionGroup as group:  # such as a full disk: the others were cancelled
        raise group.exceptions[0] from None
    finally:
        coroutine.close()  # where it was stopped before it began


def _run_here(coroutine: Coroutine[Any, Any, None]) -> None:
    told = False
    tasks: list[asyncio.Task[Any]] = []

    def end() -> None:
        nonlocal told
        told = True
        if tasks and not tasks[0].done():
            tasks[0].get_loop().call_soon_threadsafe(tasks[0].cancel)

    async def main() -> None:
        own = asyncio.current_task()
        tasks.extend([own] if own else [])
        if not told:
            await coroutine

    with _sigterm_later(end):
        try:
            asyncio.run(main())
        except asyncio.CancelledError:
            if not told:
                raise


@contextmanager
def _sigterm_later(end: Callable[[], None]) -> Iterator[None]:
    """Call ``end`` on SIGTERM, and the handler that was there behind all that is done within."""
    seen: list[tuple[Any, ...]] = []
    handler: Any = None

    def note(*received: Any) -> None:
        seen.append(received)
        end()

    try:
        before = signal.getsignal(signal.SIGTERM)
        if callable(before):
            signal.signal(signal.SIGTERM, note)
            handler = before
    except ValueError:  # not the main thread
        pass
    try:
        yield
    finally:
        if handler is not None:
            signal.signal(signal.SIGTERM, handler)
            if seen:
                handler(*seen[0])
