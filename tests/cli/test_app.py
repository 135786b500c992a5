from __future__ import annotations

import json
import sys
from shutil import copytree

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from limbeck import __version__, load
from limbeck.certificates import row_hashes
from limbeck.cli.app import app

RULE = """
import numpy as np

def rule(X):
    X = X[["a", "b"]].to_numpy()
    return np.where((X[:, 0] > 0) & (X[:, 1] > -0.5), "yes", "no")

def breaks(X):
    raise RuntimeError("out of order")
"""
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


@pytest.fixture(scope="module")
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


def test_a_tournament_prints_the_front_and_writes_its_finalists(here):
    result = limbeck(
        "tournament", "--teacher", "cli_rule:rule", "--data", "rows.parquet", "--out", "run",
        "--label", "label", "--drop", "id", "--drop", "ward", "--into", "linear,junta",
        "--max-numbers", 8,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    said = plain(result.output)
    assert "certified on" in said
    assert "Written to run/" in said
    found = load(here / "run")
    first = here / "run" / "finalist-0"
    assert found.finalists[0].student.fingerprint() == load(first / "student.json").fingerprint()
    checked = limbeck(
        "verify", first / "certificate.json", "--student", first / "student.json",
        "--rows", first / "holdout.parquet",
    )  # fmt: skip
    assert checked.exit_code == 0, checked.output
    for name in ("best.json", "card.md"):
        written = limbeck("export", "run", "--to", name)
        assert written.exit_code == 0, written.output
    best = found.best().student.fingerprint()
    assert load(here / "best.json").fingerprint() == best
    assert best in (here / "card.md").read_text()


def test_export_writes_code_that_answers_alike(run):
    result = limbeck("export", "run", "--to", "student.py")
    assert result.exit_code == 0, result.output
    scope: dict = {}
    exec((run.parent / "student.py").read_text(), scope)
    rows = table(20, seed=5)
    student = load(run / "student.json")
    expected = student.predict(rows[list(student.features_.names)])
    assert [scope["predict"](row) for row in rows.to_dict("records")] == expected.tolist()
    pytest.importorskip("onnx")
    wide = ("--inputs", "columns", "--dtype", "float32")
    assert limbeck("export", "run", "--to", "student.onnx", *wide).exit_code == 0
    refused = limbeck("export", "run/student.json", "--to", "student.docx")
    assert refused.exit_code == 2
    assert "There is no export to '.docx'" in plain(refused.output)


def test_verify_the_folder(run):
    whole = limbeck("verify", "run")  # student and rows are those of the run
    assert whole.exit_code == 0
    result = limbeck("verify", "run/certificate.json", *FILES)
    assert plain(whole.output) == plain(result.output)
    assert result.exit_code == 0, result.output
    assert result.output.startswith("Verified: all")


def test_certify_the_folder(run):
    result = limbeck("certify", *FILES, "--out", "again.json", "--epsilon", 0.2)
    assert result.exit_code == 0, result.output
    assert "of inputs drawn like them" in plain(result.output)
    assert "provided that the rows are independent draws" in plain(result.output)
    first, again = (
        json.loads(p.read_text())["certificate"]
        for p in (run / "certificate.json", run.parent / "again.json")
    )
    for same in ("epsilon", "delta", "n", "student", "rows", "mean_loss"):
        assert first[same] == again[same]
    assert limbeck("verify", "again.json", *FILES).exit_code == 0


def test_an_epsilon_that_is_not_reached_exits_with_1(run):
    result = limbeck("certify", *FILES, "--epsilon", 0.001)
    assert result.exit_code == 1
    assert "not reached" in plain(result.output)


def test_rows_that_training_saw_are_refused(run):
    student, rows = load(run / "student.json"), table()
    rows.assign(teacher_label=student.predict(rows)).to_parquet("all.parquet")
    result = limbeck("certify", "--student", "run/student.json", "--rows", "all.parquet")
    assert result.exit_code == 2
    assert "Training saw 280 of these 400 rows" in plain(result.output)


def test_an_altered_student_is_named(run):
    data = json.loads((run / "student.json").read_text())
    inner = next(i for i, f in enumerate(data["nodes"]["feature"]) if f >= 0)
    data["nodes"]["threshold"][inner] += 1e-6
    (run / "student.json").write_text(json.dumps(data))
    result = limbeck("verify", "run/certificate.json", *FILES)
    assert result.exit_code == 1
    said = plain(result.output)
    assert "Not verified" in said
    assert "this is not the student that was certified" in said
    assert "The rows or their answers differ" not in said


@pytest.mark.parametrize("what", ["value", "answer", "dropped"])
def test_altered_rows_are_named(run, what):
    rows = pd.read_parquet(run / "holdout.parquet")
    if what == "value":
        rows.loc[7, "c"] += 1e-6
    elif what == "answer":
        rows.loc[7, "teacher_label"] = {"yes": "no", "no": "yes"}[rows.loc[7, "teacher_label"]]
    else:
        rows = rows.iloc[:-1]
    rows.to_parquet(run / "holdout.parquet")
    result = limbeck("verify", "run/certificate.json", *FILES)
    assert result.exit_code == 1
    said = plain(result.output)
    assert "The rows or their answers differ" in said
    assert "not the student that was certified" not in said


def test_rows_may_be_kept_in_another_order_and_as_float32(run):
    rows = pd.read_parquet(run / "holdout.parquet").iloc[::-1]
    floats = rows.select_dtypes("float64").columns
    rows.astype(dict.fromkeys(floats, "float32")).to_parquet(run / "holdout.parquet")
    result = limbeck("verify", "run/certificate.json", *FILES)
    assert result.exit_code == 0, result.output


def test_what_was_not_checked_is_said(run):
    said = " ".join(plain(limbeck("verify", "run/certificate.json", *FILES).output).split())
    assert "Not checked:" in said  # the hashes beside the student are found
    assert "freshness is the word" not in said
    (run / "seen.npy").rename(run / "hashes.npy")
    said = " ".join(plain(limbeck("verify", "run/certificate.json", *FILES).output).split())
    assert "freshness is the word of whoever issued it" in said
    seen = ["--seen", "run/hashes.npy"]
    said = " ".join(plain(limbeck("verify", "run/certificate.json", *FILES, *seen).output).split())
    assert "freshness is the word" not in said
    student = load(run / "student.json")
    rows = student.features_.encode(pd.read_parquet(run / "holdout.parquet"))
    np.save(run / "hashes.npy", row_hashes(rows[:3]))
    result = limbeck("verify", "run/certificate.json", *FILES, *seen)
    assert result.exit_code == 2
    assert "Training saw 3 of these" in plain(result.output)


def test_an_altered_certificate_is_named(run):
    path = run / "certificate.json"
    data = json.loads(path.read_text())
    data["certificate"]["epsilon"] /= 2
    path.write_text(json.dumps(data))
    result = limbeck("verify", "run/certificate.json", *FILES)
    assert result.exit_code == 1
    assert "epsilon is stated as" in plain(result.output)


def newer(path, *keys):
    data = json.loads(path.read_text())
    data[keys[0]] += 1
    path.write_text(json.dumps(data))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda run: (run / "student.json").unlink(), "student.json' cannot be read"),
        (lambda run: (run / "certificate.json").unlink(), "certificate.json cannot be read"),
        (lambda run: (run / "holdout.parquet").unlink(), "There is no file"),
        (lambda run: (run / "student.json").write_text("{"), "is not JSON"),
        (lambda run: newer(run / "student.json", "version"), "The student has version 2"),
        (lambda run: newer(run / "certificate.json", "schema"), "has schema 3"),
    ],
    ids=["no student", "no certificate", "no rows", "half", "newer student", "newer certificate"],
)
def test_files_that_cannot_be_used_take_two_sentences(run, spoil, message):
    spoil(run)
    result = limbeck("verify", "run/certificate.json", *FILES)
    assert result.exit_code == 2
    said = result.output.strip()
    assert message in plain(said)
    assert "Traceback" not in said
    assert len([s for s in plain(said).split(". ") if s]) <= 3


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


def test_help_names_the_commands():
    result = limbeck("--help")
    assert result.exit_code == 0
    for command in ("distill", "certify", "verify", "budget"):
        assert command in result.output


@pytest.mark.parametrize("command", ["certify", "verify"])
def test_help_says_that_rows_may_be_many_files(command):
    assert '"rows/*.parquet"' in plain(limbeck(command, "--help").output)


def test_help_of_tune_shows_its_brackets():
    assert "{setting: [choices]}" in plain(limbeck("tune", "--help").output)


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


def test_the_version_is_told():
    found = CliRunner().invoke(app, ["--version"])
    assert found.exit_code == 0
    assert found.stdout == f"limbeck {__version__}\n"


def test_a_card_is_made_of_a_run(run):
    assert limbeck("export", "run", "--to", "card.md", "--license", "mit").exit_code == 0
    assert 'license: "mit"' in (run.parent / "card.md").read_text()
    refused = limbeck("export", "run/student.json", "--to", "card.md")
    assert refused.exit_code == 2
    assert "a card is made from its numbers" in " ".join(plain(refused.output).split())
