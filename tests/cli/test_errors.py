from __future__ import annotations

import os
import signal
import sys
import threading

import pytest
import typer

from limbeck.cli.errors import Terminated, plain_errors, stopped
from limbeck.core.errors import InvalidInput


def test_an_error_raised_on_purpose_is_two_sentences_and_status_2(capsys) -> None:
    with pytest.raises(typer.Exit) as ended, plain_errors():
        raise InvalidInput("There is no \x1b[31mcolumn.", "Give [another].")
    said = capsys.readouterr()
    assert ended.value.exit_code == 2
    assert said.out == ""
    assert "\x1b" not in said.err
    assert said.err.endswith("[31mcolumn.\nGive [another].\n")
    with pytest.raises(ZeroDivisionError), plain_errors():
        raise ZeroDivisionError


def test_what_was_kept_is_named_with_the_command_that_goes_on(
    tmp_path, capsys, monkeypatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["/bin/limbeck", "distill", "my run.yaml"])

    def interrupted() -> None:
        with plain_errors(tmp_path / "none") as places:
            places.append(tmp_path)  # learned of on the way
            raise KeyboardInterrupt

    with pytest.raises(typer.Exit) as ended:
        interrupted()
    assert ended.value.exit_code == 130
    assert capsys.readouterr().err == (
        f"Interrupted; what is finished is kept in {tmp_path}."
        " To go on: limbeck distill 'my run.yaml'\n"
    )
    with pytest.raises(typer.Exit) as ended:
        stopped(Terminated(), [tmp_path], "limbeck tune run.yaml")
    assert ended.value.exit_code == 143
    assert capsys.readouterr().err.startswith("Ended by SIGTERM; what is finished is kept in")
    with pytest.raises(typer.Exit):
        stopped(KeyboardInterrupt(), [tmp_path / "none"])
    assert capsys.readouterr().err == "Interrupted; nothing was written.\n"


def test_sigterm_ends_a_command_as_an_error_and_is_as_before_afterwards(capsys) -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    closed = []

    def ended_by_sigterm() -> None:
        with plain_errors():
            try:
                os.kill(os.getpid(), signal.SIGTERM)
            finally:
                closed.append(True)

    try:
        with pytest.raises(typer.Exit) as ended:
            ended_by_sigterm()
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        with plain_errors():  # somebody else handles it
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)
    assert (ended.value.exit_code, closed) == (143, [True])
    assert capsys.readouterr().err == "Ended by SIGTERM; nothing was written.\n"


def test_outside_the_main_thread_signals_are_left_alone() -> None:
    ended = []

    def run() -> None:
        with plain_errors():
            ended.append(True)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert ended == [True]
