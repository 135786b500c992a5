from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from limbeck import load
from limbeck.cli.app import app
from tests.cli.conftest import DISTILL, FILES, limbeck, plain, table

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


def test_distill_prints_the_table_and_writes_the_folder(here):
    result = limbeck(*DISTILL)
    assert result.exit_code == 0, result.output
    said = plain(result.output)
    for word in ("teacher", "student", "control", "certificate", "verdict", "Written to run/"):
        assert word in said
    assert {p.name for p in (here / "run").iterdir()} == {
        "student.json", "certificate.json", "result.json", "seen.npy", "holdout.parquet",
        "report.html",
    }  # fmt: skip
    student = load(here / "run" / "student.json")
    assert student.features_.names == ("a", "b", "c", "d")
    assert student.size <= 4
    fresh = table(500, seed=3)
    assert (student.predict(fresh) == fresh["label"]).mean() > 0.95


def test_a_folder_for_via_that_is_not_there_is_refused(here):
    result = limbeck(*DISTILL, "--into", "linear", "--via", "nowhere/")
    assert result.exit_code != 0
    assert "There is no folder 'nowhere/'." in plain(result.output)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--into", "treee"], "Did you mean 'tree'?"),
        (["--epsilon", 0], "epsilon is 0.0"),
        (["--label", "labels"], "Did you mean 'label'?"),
        (["--drop", "ids"], "Did you mean 'id'?"),
        (["--groups", "wards"], "There is no column 'wards'"),
        (["--teacher", "cli_rule:rul"], "Did you mean 'rule'?"),
        (["--teacher", "cli_rule"], "Write package.module:name"),
        (["--teacher", "cli_rule:breaks"], "breaks raised RuntimeError"),
        (["--data", "none.csv"], "There is no file 'none.csv'"),
        (["--max-leaves", 1], "max_leaves is 1"),
        (["--weights", "net.safetensors"], "Weights were given for a function"),
    ],
)
def test_distill_refuses_in_words_and_writes_nothing(here, more, message):
    result = limbeck(*DISTILL, *more)
    assert result.exit_code == 2, result.output
    assert message in plain(result.output)
    assert "Traceback" not in result.output
    assert not (here / "run").exists()


def test_options_reach_the_method(here):
    more = ["--delta", 0.2, "--seed", 7, "--leaves", 2, "--holdout", 0.5, "--epsilon", 0.3]
    more += ["--sampler", "munge", "--query-weight", 0.4]
    result = limbeck(*DISTILL, *more)
    assert result.exit_code == 0, result.output
    settings = json.loads((here / "run" / "result.json").read_text())["settings"]
    assert (settings["delta"], settings["seed"], settings["epsilon"]) == (0.2, 7, 0.3)
    for setting in (
        "leaves=2",
        "max_leaves=4",
        "queries=200",
        "sampler='munge'",
        "query_weight=0.4",
    ):
        assert setting in settings["method"]
    assert load(here / "run" / "student.json").size == 2
    certificate = json.loads((here / "run" / "certificate.json").read_text())["certificate"]
    assert (certificate["n"], certificate["delta"]) == (200, 0.2)


def test_an_interrupt_writes_nothing(here):
    (here / "cli_slow.py").write_text("def slow(X):\n    raise KeyboardInterrupt\n")
    result = limbeck(*DISTILL, "--teacher", "cli_slow:slow")
    assert result.exit_code == 130
    assert "Interrupted; nothing was written." in result.output
    assert not (here / "run").exists()


def test_rows_without_labels_go_all_the_way(here):
    table(100, seed=1).drop(columns=["label", "id"]).to_parquet("more.parquet")
    result = limbeck(*DISTILL, "--unlabelled", "more.parquet")
    assert result.exit_code == 0, result.output
    assert load("run").rows_seen == 280 + 100
    result = limbeck(*DISTILL, "--unlabelled", "rows.parquet")
    assert result.exit_code == 2
    assert "has the column 'label'" in plain(result.output)


def test_groups_go_all_the_way(here):
    arguments = [a for a in DISTILL if a != "ward"]
    del arguments[arguments.index("id") + 1]  # the --drop before "ward"
    result = limbeck(*arguments, "--groups", "ward")
    assert result.exit_code == 0, result.output
    certificate = json.loads((here / "run" / "certificate.json").read_text())["certificate"]
    assert {g["group"] for g in certificate["groups"]} == {"north", "south"}
    # they are in the column "group" of the rows that were saved, and "ward" is a feature as well
    assert limbeck("verify", "run/certificate.json", *FILES).exit_code == 0
    assert limbeck("verify", "run/certificate.json", *FILES, "--groups", "ward").exit_code == 0
    rows = pd.read_parquet(here / "run" / "holdout.parquet").drop(columns="group")
    rows.to_parquet(here / "run" / "holdout.parquet")
    result = limbeck("verify", "run/certificate.json", *FILES)
    assert result.exit_code == 2
    assert "Give groups" in plain(result.output)


def test_cases_go_all_the_way(here):
    rows = table()
    rows["patient"] = np.arange(len(rows)) // 4
    rows.to_csv("rows.csv", index=False)
    result = limbeck(*DISTILL, "--data", "rows.csv", "--cases", "patient")
    assert result.exit_code == 0, result.output
    assert "each case counted alike" in " ".join(plain(result.output).split())
    kept = pd.read_parquet(here / "run" / "holdout.parquet")
    assert "patient" not in kept.columns
    assert (kept.groupby("case").size() == 4).all()
    said = plain(limbeck("verify", "run/certificate.json", *FILES).output)
    assert said.startswith("Verified")
    said = plain(limbeck("certify", *FILES, "--cases", "case").output)
    assert f"over {kept['case'].nunique()} fresh cases with {len(kept)} rows" in " ".join(
        said.split()
    )


def test_scores_weights_and_classes_as_groups_go_all_the_way(here):
    (here / "cli_chance.py").write_text(
        "import numpy as np\n"
        "def doubled(X):\n"
        "    return 2 * X['a'].to_numpy()\n"
        "def logit(a):\n"
        "    return a - 1.0\n"
    )
    rows = table().assign(w=1.0)
    rows["label"] = np.where(rows["a"] > 0.5, "yes", "no")
    rows.to_csv("rows.csv", index=False)
    more = ["--teacher", "cli_chance:logit", "--preprocess", "cli_chance:doubled", "--data"]
    more += ["rows.csv", "--groups", "class", "--class-weight", "balanced", "--sample-weight", "w"]
    refused = limbeck(*DISTILL, *more)
    assert refused.exit_code == 2
    assert "score_kind='logit'" in plain(refused.output)
    result = limbeck(*DISTILL, *more, "--score-kind", "logit")
    assert result.exit_code == 0, result.output
    certificate = json.loads((here / "run" / "certificate.json").read_text())["certificate"]
    assert {g["group"] for g in certificate["groups"]} == {"no", "yes"}
    student = load(here / "run" / "student.json")
    assert student.task_.classes == ("no", "yes")
    assert "w" not in student.features_.names
    assert limbeck("verify", "run/certificate.json", *FILES).exit_code == 0


def test_classes_take_the_type_of_the_labels(here):
    (here / "cli_scores.py").write_text(
        "import numpy as np\n"
        "def scores(X):\n"
        "    a = X['a'].to_numpy()\n"
        "    return np.stack([-a, a], axis=1)\n"
    )
    rows = table()
    rows["label"] = np.where(rows["a"] > 0, 20, 3)
    rows.to_csv("rows.csv", index=False)
    more = ["--teacher", "cli_scores:scores", "--classes", "3, 20", "--data", "rows.csv"]
    result = limbeck(*DISTILL, *more)
    assert result.exit_code == 0, result.output
    assert load(here / "run" / "student.json").task_.classes == (3, 20)


NETWORK = """
import torch

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.body = torch.nn.Sequential(
            torch.nn.Linear(5, 12), torch.nn.ReLU(), torch.nn.Linear(12, 2)
        )

    def forward(self, x):
        return self.body(x)

def net():
    return Net()
"""


@pytest.mark.torch
def test_a_network_from_the_shell_to_a_verified_certificate(here):
    """The real thing: a module and a weights file."""
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    (here / "my_model.py").write_text(NETWORK)
    torch.manual_seed(0)
    body = torch.nn.Sequential(torch.nn.Linear(5, 12), torch.nn.ReLU(), torch.nn.Linear(12, 2))
    save_file({f"body.{k}": v for k, v in body.state_dict().items()}, here / "net.safetensors")
    X = np.random.default_rng(0).normal(size=(500, 5)).astype(np.float32)
    pd.DataFrame(X, columns=list("abcde")).to_parquet(here / "rows.parquet")

    made = CliRunner().invoke(
        app,
        ["distill", "--teacher", "my_model:net", "--weights", "net.safetensors",
         "--data", "rows.parquet", "--into", "tree", "--out", "run/",
         "--queries", "100", "--max-leaves", "8"],
    )  # fmt: skip
    assert made.exit_code == 0, made.output
    rows = pd.read_parquet(here / "run" / "holdout.parquet")
    with torch.no_grad():
        said = body(torch.tensor(rows[list("abcde")].to_numpy())).argmax(1).numpy()
    np.testing.assert_array_equal(rows["teacher_label"], said)
    files = ["--student", "run/student.json", "--rows", "run/holdout.parquet"]
    certified = CliRunner().invoke(app, ["certify", *files])
    assert certified.exit_code == 0, certified.output
    assert "With probability at least 95% over 150 fresh rows" in plain(certified.stdout)
    verified = CliRunner().invoke(app, ["verify", "run/certificate.json", *files])
    assert verified.exit_code == 0, verified.output
    assert "Verified" in verified.stdout
