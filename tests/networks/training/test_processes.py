"""What only the first of several processes does; two of them run in tests/api/test_run_file.py."""

from __future__ import annotations

from datetime import timedelta

import pytest
from torch.distributed import TCPStore

from limbeck.networks.training import processes
from limbeck.networks.training.processes import first, once, quietly


def test_the_only_process_is_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RANK", raising=False)
    assert first()
    with quietly():
        pass
    for rank in (0, 1):
        monkeypatch.setenv("RANK", str(rank))
        assert first() is (rank == 0)


def test_what_several_meet_is_told_once_and_what_one_meets_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = TCPStore("localhost", 0, is_master=True, wait_for_workers=False)
    monkeypatch.setenv("TORCHELASTIC_USE_AGENT_STORE", "True")
    monkeypatch.setenv("MASTER_ADDR", "localhost")
    monkeypatch.setenv("MASTER_PORT", str(store.port))
    told: list[str] = []
    for text in ("a", "a", "b"):  # three processes, one after another
        once(text, lambda text=text: told.append(text))  # type: ignore[misc]
    assert told == ["a", "b"]
    monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", "1")
    once("a", lambda: told.append("after a restart"))
    assert told[2:] == ["after a restart"]


def test_nothing_is_hidden_where_the_first_was_ended_or_nobody_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[int] = []
    monkeypatch.delenv("TORCHELASTIC_USE_AGENT_STORE", raising=False)
    once("a", lambda: told.append(1))
    monkeypatch.setattr(processes, "_PATIENCE", timedelta(seconds=0.1))
    monkeypatch.setenv("TORCHELASTIC_USE_AGENT_STORE", "True")
    monkeypatch.setenv("MASTER_ADDR", "localhost")
    store = TCPStore("localhost", 0, is_master=True, wait_for_workers=False)
    monkeypatch.setenv("MASTER_PORT", str(store.port))

    def ended() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        once("a", ended)
    once("a", lambda: told.append(2))
    del store
    once("b", lambda: told.append(3))
    assert told == [1, 2, 3]
