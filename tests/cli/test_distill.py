"""Settings of methods in the shell."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from limbeck.cli.app import app
from limbeck.students import load

RULE = """
import numpy as np

def rule(X):
    return np.where(2 * X["a"] + X["b"] - X["c"] > 0, "yes", "no")
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    """``limbeck distill`` with a rule and a table in the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "settings_rule.py").write_text(RULE)
    rng = np.random.default_rng(0)
    pd.DataFrame(rng.normal(size=(200, 3)), columns=list("abc")).to_csv("rows.csv", index=False)
    common = ["--teacher", "settings_rule:rule", "--data", "rows.csv", "--classes", "no,yes",
              "--queries", "0", "--out", "run", "--into", "sparse_sum",
              "--epsilon", "0.2"]  # fmt: skip
    return lambda *more: CliRunner().invoke(app, ["distill", *common, *more])


def test_settings_are_given_by_name_as_json(run) -> None:
    done = run("--set", "numbers=3", "--set", 'forbidden=["c"]', "--set", 'monotone={"b": -1}')
    assert done.exit_code == 0, done.output
    student = load("run/student.json")
    assert student.numbers <= 3
    assert "c" not in {student.features_.names[j] for t in student.sum_.terms for j in t.columns}
    rows = pd.read_csv("rows.csv")
    said = [student.predict_proba(rows.assign(b=at))[:, 1] for at in (-2.0, 0.0, 2.0)]
    assert (np.diff(said, axis=0) <= 1e-12).all()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("numbers", "is not of the form name=value"),
        ("number=3", "numbers"),
        ("queries=3", "Give --queries"),
        ("teacher=3", "no setting of a method"),
        ("numbers=many", "numbers"),
    ],
)
def test_what_is_no_setting_is_refused(run, given, message) -> None:
    done = run("--set", given)
    assert done.exit_code == 2, done.output
    assert message in " ".join(done.output.split())
