"""A distillation in the current folder, from a shell."""

from __future__ import annotations

import sys
from shutil import copytree

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from limbeck.cli.app import app

RULE = """
import numpy as np

def rule(X):
    X = X[["a", "b"]].to_numpy()
    return np.where((X[:, 0] > 0) & (X[:, 1] > -0.5), "yes", "no")

def breaks(X):
    raise RuntimeError("out of order")
"""


def table(n=400, seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(n, 4)), columns=list("abcd"))
    frame["label"] = np.where((frame["a"] > 0) & (frame["b"] > -0.5), "yes", "no")
    frame["id"] = [f"row {i}" for i in range(n)]
    frame["ward"] = rng.choice(["north", "south"], n)
    return frame


def plain(text):
    return " ".join(text.split())


def current(folder, patch):
    """A current folder with a rule and a table; what is imported from it is forgotten again."""
    patch.chdir(folder)
    patch.setattr(sys, "path", [p for p in sys.path if p])
    (folder / "cli_rule.py").write_text(RULE)
    table().to_parquet(folder / "rows.parquet")
    before = set(sys.modules)
    yield folder
    for name in set(sys.modules) - before:
        if str(folder) in str(getattr(sys.modules[name], "__file__", None)):
            del sys.modules[name]


@pytest.fixture
def here(tmp_path, monkeypatch):
    yield from current(tmp_path, monkeypatch)


def limbeck(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


DISTILL = [
    "distill", "--teacher", "cli_rule:rule", "--data", "rows.parquet", "--out", "run",
    "--label", "label", "--drop", "id", "--drop", "ward", "--queries", 200, "--max-leaves", 4,
]  # fmt: skip


FILES = ["--student", "run/student.json", "--rows", "run/holdout.parquet"]


@pytest.fixture(scope="package")
def written(tmp_path_factory):
    """The folder of one distillation."""
    folder = tmp_path_factory.mktemp("app")
    with pytest.MonkeyPatch.context() as patch:
        for _ in current(folder, patch):
            result = limbeck(*DISTILL)
    assert result.exit_code == 0, result.output
    return folder / "run"


@pytest.fixture
def run(here, written):
    return copytree(written, here / "run")
