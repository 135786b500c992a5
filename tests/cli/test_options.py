"""A shell offers what Python offers, under the same names."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import limbeck
from limbeck.cli.app import app
from limbeck.cli.options import number_or_name

VERBS = ("distill", "tournament", "generate", "select", "certify", "verify", "budget", "label",
         "audit", "routes")  # fmt: skip
SHELL = {
    "X": "data", "y": "label", "df": "scores",  # a file, its column
    "settings": "setting", "outputs": "score_kind",
}  # fmt: skip
PYTHON_ALONE = {
    "names",  # a file has column names
    "until", "draws", "max_rows",  # an iterator of fresh rows
    "doubt",  # of certify_active, which asks the teacher one row after the other
}  # fmt: skip


@pytest.mark.parametrize("verb", VERBS)
def test_every_argument_of_a_verb_is_an_option(verb: str) -> None:
    commands: dict[str, Any] = {c.callback.__name__: c.callback for c in app.registered_commands}
    offered = set(inspect.signature(commands[verb]).parameters)
    wanted = {SHELL.get(n, n) for n in inspect.signature(getattr(limbeck, verb)).parameters}
    assert wanted - offered - PYTHON_ALONE == set()


def test_an_output_is_a_position_or_a_name() -> None:
    assert [number_or_name(x) for x in (None, "1", "-1", "scores")] == [None, 1, -1, "scores"]


@pytest.fixture
def here(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "options_module.py").write_text(
        "def metres(X):\n    return 2.0 * X['a'].to_numpy()\n"
        "def far(predicted, answers):\n    return abs(predicted - answers) > 1.0\n"
    )
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(300, 2)), columns=["a", "b"])
    frame.assign(ward=np.where(frame.b > 0, "north", "south")).to_csv("rows.csv", index=False)
    return tmp_path


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, [str(a) for a in arguments])


def test_numbers_with_a_unit_are_certified_by_a_loss_of_ones_own(here: Any) -> None:
    done = run("distill", "--teacher", "options_module:metres", "--data", "rows.csv", "--out",
               "run", "--regression", "--unit", "m", "--groups", "ward", "--max-leaves", 8,
               "--queries", 0, "--no-progress")  # fmt: skip
    assert done.exit_code == 0, done.output
    assert limbeck.load("run/student.json").task_.unit == "m"
    files = ("--student", "run/student.json", "--rows", "run/holdout.parquet")
    loss = ("--loss", "options_module:far")
    done = run("certify", *files, *loss, "--loss-range", "0,1", "--groups", "group", "--bound",
               "empirical-bernstein", "--candidates", 2, "--out", "own.json")  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "empirical-bernstein" in (here / "own.json").read_text()
    assert "north: at most" in done.output
    done = run("verify", "own.json", *files, *loss, "--groups", "group")
    assert done.output.startswith("Verified"), done.output


def test_a_range_that_is_no_pair_is_refused(here: Any) -> None:
    done = run("certify", "--student", "s.json", "--rows", "rows.csv", "--loss-range", "0;1")
    assert done.exit_code == 2
    assert "--loss-range is '0;1'" in done.output
