from __future__ import annotations

import pytest

from limbeck.core.progress import quiet, shown


def test_silent_where_there_is_no_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    with shown() as tell:
        assert tell is quiet
        tell("searching", 1, 2)
    assert capfd.readouterr() == ("", "")


def test_a_bar_on_stderr_when_wanted(capfd: pytest.CaptureFixture[str]) -> None:
    with shown(True) as tell:
        for i in range(3):
            tell("searching", i, 3)
        tell("certificate", 0, 0)  # a total of 0 is no division by zero
    out, err = capfd.readouterr()
    assert out == ""
    assert "certificate" in err
