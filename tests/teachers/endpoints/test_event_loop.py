from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from limbeck.teachers.endpoints.event_loop import run_coroutine


class Ended(SystemExit):
    pass


@pytest.fixture
def ends() -> Iterator[None]:
    def end(*_: Any) -> None:
        raise Ended

    before = signal.signal(signal.SIGTERM, end)
    yield
    assert signal.getsignal(signal.SIGTERM) is end
    signal.signal(signal.SIGTERM, before)


def test_sigterm_ends_all_tasks_in_order_and_then_raises(ends: None) -> None:
    ended: list[str] = []

    async def work(name: str) -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ended.append(name)
            raise

    async def all_() -> None:
        async with asyncio.TaskGroup() as group:
            for name in "ab":
                group.create_task(work(name))
            await asyncio.sleep(0)
            group.create_task(work("c"))  # not begun at the signal
            signal.raise_signal(signal.SIGTERM)

    with pytest.raises(Ended):
        run_coroutine(all_())
    assert {"a", "b"} <= set(ended)


def test_what_was_done_at_the_signal_is_kept_and_nothing_warns(ends: None) -> None:
    done: list[int] = []

    async def work() -> None:
        signal.raise_signal(signal.SIGTERM)
        done.append(1)  # up to the next place where it waits

    with pytest.raises(Ended):
        run_coroutine(work())
    assert done == [1]


@pytest.mark.filterwarnings("error")
def test_a_coroutine_that_never_began_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None: ...

    def stopped(coroutine: Any) -> None:
        coroutine.close()
        raise Ended

    monkeypatch.setattr(asyncio, "run", stopped)
    with pytest.raises(Ended):
        run_coroutine(work())


def test_within_a_loop_and_without_a_handler_it_runs_as_it_is() -> None:
    done: list[str] = []

    async def work() -> None:
        done.append("done")

    async def notebook() -> None:
        run_coroutine(work())

    asyncio.run(notebook())
    run_coroutine(work())
    assert done == ["done", "done"]


def test_an_error_of_a_group_is_raised_alone() -> None:
    async def fails() -> None:
        raise OSError("full")

    async def all_() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(fails())

    with pytest.raises(OSError, match="full"):
        run_coroutine(all_())
