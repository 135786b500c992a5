from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from limbeck.cli.app import app

ASK = ["audit", "scores.csv", "--score", "score", "--outcome", "happened", "--drop", "id",
       "--bags", 19]  # fmt: skip


def table(n: int = 200, seed: int = 0) -> pd.DataFrame:
    """Scores that know age and priors; what happened depends on both."""
    rng = np.random.default_rng(seed)
    age, priors = rng.integers(18, 60, n), rng.poisson(2.0, n)
    risk = 0.5 * priors - 0.05 * (age - 30)
    score = np.clip(np.round(5 + 1.5 * risk + rng.normal(0, 0.5, n)), 1, 10).astype(int)
    return pd.DataFrame(
        {
            "id": [f"case {i}" for i in range(n)],
            "age": age,
            "priors": priors,
            "sex": rng.choice(["F", "M"], n),
            "score": score,
            "happened": (rng.random(n) < 1 / (1 + np.exp(-risk))).astype(int),
        }
    )


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    table().to_csv(tmp_path / "scores.csv", index=False)
    return tmp_path


def limbeck(*arguments: object) -> Any:
    return CliRunner().invoke(app, [str(a) for a in arguments])


def plain(text: str) -> str:
    return " ".join(text.split())


def test_audit_prints_the_answers_and_writes_the_page(here: Path) -> None:
    done = limbeck(*ASK, "--report", "audit.html", "--groups", "sex")
    assert done.exit_code == 0, done.output
    said = plain(done.output)
    for word in ("Audit of score against happened: 200 rows", "RMSE", "missing features",
                 "verdict", "calibration", "Written to audit.html"):  # fmt: skip
        assert word in said
    page = (here / "audit.html").read_text("utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert "<script" not in page
    for word in ("age", "priors", "Left out as asked", "Groups of sex", "--bags 19"):
        assert word in page
    shown = re.sub(r"<style>.*?</style>", "", page, flags=re.S)
    assert not re.search(r"\b(nan|inf|None)\b", shown)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (["--score", "scor"], "Did you mean 'score'?"),
        (["--outcome", "hapened"], "Did you mean 'happened'?"),
        (["--drop", "idd"], "Did you mean 'id'?"),
        (["--groups", "sexx"], "Did you mean 'sex'?"),
        (["--frequency-weight", "weight"], "'weight'"),
        (["--score", "sex"], "'sex'"),
        (["--outcome", "sex"], "'sex'"),
        (["--outcome", "age"], "'age'"),
        (["--bags", 0], "0"),
        (["--report", "nowhere/audit.html"], "does not exist"),
    ],
)
def test_what_does_not_fit_is_refused_in_sentences(
    here: Path, change: list[object], says: str
) -> None:
    done = limbeck(*ASK, *change)
    assert done.exit_code == 2, done.output
    assert says in plain(done.stderr)
    assert "Traceback" not in done.output
    assert sorted(p.name for p in here.iterdir()) == ["scores.csv"]


def test_files_that_are_no_tables_are_refused(here: Path) -> None:
    (here / "notes.txt").write_text("a note")
    for name, says in (("absent.csv", "There is no file"), ("notes.txt", "is no table")):
        done = limbeck("audit", name, "--score", "score")
        assert done.exit_code == 2
        assert says in plain(done.stderr)


@pytest.mark.parametrize(
    ("column", "values", "says"),
    [
        ("score", "high", "score"),
        ("score", 5, "score"),
        ("happened", 1, "happened"),
    ],
)
def test_columns_that_tell_nothing_are_refused(
    here: Path, column: str, values: object, says: str
) -> None:
    table().assign(**{column: values}).to_csv(here / "scores.csv", index=False)
    done = limbeck(*ASK)
    assert done.exit_code == 2, done.output
    assert says in plain(done.stderr)


def test_three_outcomes_are_refused(here: Path) -> None:
    frame = table()
    frame.loc[:20, "happened"] = 2
    frame.to_csv(here / "scores.csv", index=False)
    done = limbeck(*ASK)
    assert done.exit_code == 2, done.output
    assert "happened" in plain(done.stderr)


def test_few_rows_and_swapped_columns_are_refused(here: Path) -> None:
    table(40).to_csv(here / "few.csv", index=False)
    few = limbeck("audit", "few.csv", "--score", "score")
    assert few.exit_code == 2
    assert "40 rows" in plain(few.stderr)
    swapped = limbeck("audit", "scores.csv", "--score", "happened", "--outcome", "score")
    assert swapped.exit_code == 2
    assert "swapped" in plain(swapped.stderr)


def test_a_leak_is_named_first(here: Path) -> None:
    """A feature that is the outcome in disguise stays, and is spoken of before all else."""
    frame = table().assign(closed=lambda t: np.where(t["happened"] == 1, "yes", "no"))
    frame.to_csv(here / "scores.csv", index=False)
    done = limbeck(*ASK, "--report", "leak.html")
    assert done.exit_code == 0, done.output
    said = plain(done.output)
    assert "closed" in said
    assert said.index("closed") < said.index("RMSE")
    page = (here / "leak.html").read_text("utf-8")
    assert page.index("Leak? closed: see the warnings first.") < page.index("can be concluded")
    assert "as long as closed is among the columns" in page
    assert page.index("Leak? closed alone tells") < page.index("What was asked")


def test_the_reproduction_skips_what_is_not_there(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script = (
        Path(__file__).resolve().parent.parent.parent / "reproductions" / "distill_and_compare.py"
    )
    monkeypatch.setattr(sys, "argv", [str(script), str(here), "--quick"])
    runpy.run_path(str(script), run_name="__main__")
    assert capsys.readouterr().out.count("skipped, there is no") == 6
