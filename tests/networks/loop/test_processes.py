"""What only the first of several processes does; two of them run in tests/test_run_file.py."""

from __future__ import annotations

import pytest

from limbeck.networks.loop.processes import first, quietly


def test_the_only_process_is_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RANK", raising=False)
    assert first()
    with quietly():
        pass
    for rank in (0, 1):
        monkeypatch.setenv("RANK", str(rank))
        assert first() is (rank == 0)
