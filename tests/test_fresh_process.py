"""What only a fresh process shows, all in one, since its start takes longer than most tests.

What each import loads, from light to heavy; that names of another package are found; that nothing
depends on the seed of hashes; and the command itself, where a warning is an error.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

import limbeck

HEAVY = {"torch", "sklearn", "pandas", "matplotlib", "transformers", "onnx", "pyarrow", "scipy"}
TEACHERS = {
    "torch", "onnxruntime", "transformers", "lightgbm", "xgboost", "catboost", "skops", "httpx",
}  # fmt: skip
PLUGIN = Path(__file__).parent / "plugin"

SEARCH = """
import numpy as np
from limbeck.core.columns import Features
from limbeck.methods.search_and_stitch.method import SearchAndStitch
from limbeck.core.progress import quiet
from limbeck.teachers import CallableTeacher
X = np.random.default_rng(0).normal(size=(300, 4))
teacher = CallableTeacher(lambda X: (np.sin(3 * X[:, 0]) + X[:, 1] > 0).astype(int), classes=[0, 1])
method = SearchAndStitch(queries=300, max_leaves=8)
found = method.distill(teacher, Features.of(X).rows(X), np.random.default_rng(1), quiet)
print(" ".join(t.fingerprint() for t in found.frontier))
"""
# from light to heavy: what one loads, the next ones have
STAGES = {
    "limbeck": "import limbeck",
    "command line": "import limbeck.cli.app",
    "students": "import limbeck.students",
    "declared": "from limbeck.teachers.entry import entries; list(entries())",
    "tree": "from limbeck.students import Tree",
    "wavelet": """
import numpy as np
from limbeck.students.wavelet.wavelet import WaveletStudent
X = np.random.default_rng(0).normal(size=(40, 16))
WaveletStudent('db2').fit(X, X[:, 0]).predict(X)
""",
    "teachers": """
import limbeck.teachers
from limbeck.teachers import CallableTeacher, SklearnTeacher, StoredScores, as_teacher
import limbeck.samplers.jitter, limbeck.samplers.marginals
as_teacher(lambda X: X)
""",
    "distilled": """
X = np.random.default_rng(0).normal(size=(60, 2))
f = lambda X: (X[:, 0] > 0).astype(int)
limbeck.distill(f, X, f(X), queries=50)
""",
    "search": SEARCH,
    "plugin": """
from limbeck.students import load

rng = np.random.default_rng(0)
X = rng.normal(size=(400, 3))
y = np.where(X[:, 0] > -1.5, "yes", "no")
teacher = limbeck.as_teacher(lambda X: np.where(X[:, 0] > -1.5, "yes", "no"), classes=["no", "yes"])
result = limbeck.distill(teacher, X, y, into="majority", epsilon=0.2, rows=300, progress=False)
print(result)
ways = limbeck.routes(teacher, into="majority")
assert ways.found[0].steps[0].method == "take_majority"
assert ("tree",) in [way.via for way in ways.found]
folder = f"{FOLDER}/majority"
result.save(folder)
again = limbeck.load(folder)
assert (again.student.predict(X) == "yes").all()
assert again.student.fingerprint() == result.student.fingerprint()
assert result.report(folder + "/page.html").read_text().count("always yes")

from limbeck_majority.parts import Oracle

told = limbeck.as_teacher(Oracle(), threshold=0.0)
assert told.name == "oracle" and (told.scores(X)[:, 1] == (X[:, 0] > 0)).all()
cases = np.arange(400) // 2  # losses of cases are no counts
certificate = limbeck.certify(
    result.student, X, teacher.task.labels[teacher.scores(X).argmax(1)], cases=cases,
    bound="hoeffding",
)
slack = (np.log(1 / 0.05) / (2 * 200)) ** 0.5
assert certificate.bound == "Hoeffding 1963"
assert abs(certificate.epsilon - certificate.mean_loss - slack) < 1e-9

from typer.testing import CliRunner
from limbeck.cli.app import app

files = {"--student": "student.json", "--rows": "holdout.parquet", "--seen": "seen.npy"}
files = [part for name, file in files.items() for part in (name, f"{folder}/{file}")]
verified = CliRunner().invoke(app, ["verify", f"{folder}/certificate.json", *files])
assert verified.exit_code == 0, verified.output
print("FROM THE SHELL", verified.output)
""",
    "audit": """
import runpy, sys
import pandas as pd
score = np.arange(300) % 10 + 1
table = pd.DataFrame({"age": score * 3 + np.arange(300) % 7, "score": score, "people": 2})
table.to_parquet(f"{FOLDER}/scores.parquet")
sys.argv = ["limbeck", "audit", f"{FOLDER}/scores.parquet", "--score", "score",
            "--frequency-weight", "people", "--bags", "19", "--report", f"{FOLDER}/only.html"]
try:
    runpy.run_module("limbeck", run_name="__main__")  # as python -m
except SystemExit as end:
    assert not end.code, end.code
""",
    "without torch": """
sys.modules["torch"] = None
for name in ("trim", "transforms"):
    try:
        getattr(limbeck, name)
    except limbeck.LimbeckError as error:
        print(error)
""",
}
RUN = """
import io, json, sys, traceback
from contextlib import redirect_stderr, redirect_stdout
known, done = {"FOLDER": sys.argv[2]}, {}
for stage, code in json.loads(sys.argv[1]).items():
    failed = ""
    with redirect_stdout(io.StringIO()) as said, redirect_stderr(io.StringIO()) as complained:
        try:
            exec(compile(code, stage, "exec"), known)
        except BaseException:
            failed = traceback.format_exc()
    done[stage] = [sorted(sys.modules), said.getvalue(), complained.getvalue(), failed]
print(json.dumps(done))
"""


@dataclass(frozen=True)
class Stage:
    """What was loaded after it, what it printed on both streams, and how it failed."""

    modules: set[str]
    said: str
    complained: str
    failed: str


class Stages(dict[str, Stage]):
    """By name: those that did not fail."""

    def __getitem__(self, name: str) -> Stage:
        found = super().__getitem__(name)
        assert not found.failed, found.failed
        return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fresh")


@pytest.fixture(scope="module")
def stages(folder: Path) -> Stages:
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(PLUGIN), str(Path(__file__).parents[1])]),
        "PYTHONHASHSEED": "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1",
        "OMP_NUM_THREADS": "1",
    }
    out = subprocess.run(
        [sys.executable, "-W", "error", "-c", RUN, json.dumps(STAGES), str(folder)],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return Stages(
        (name, Stage(set(modules), *rest))
        for name, (modules, *rest) in json.loads(out.stdout).items()
    )


def test_import_brings_in_nothing_heavy(stages: Stages) -> None:
    assert "limbeck" in stages["limbeck"].modules
    assert not stages["limbeck"].modules & HEAVY


def test_the_command_line_parses_without_anything_heavy(stages: Stages) -> None:
    assert "typer" in stages["command line"].modules
    assert not stages["command line"].modules & HEAVY


def test_students_load_when_first_used(stages: Stages) -> None:
    assert "limbeck.students" in stages["students"].modules
    assert "limbeck.students.tree.tree" not in stages["students"].modules
    assert "limbeck.students.tree.tree" in stages["tree"].modules


def test_teachers_are_declared_and_imported_without_their_packages(stages: Stages) -> None:
    assert not stages["declared"].modules & TEACHERS
    assert "limbeck.teachers.sklearn" in stages["teachers"].modules
    assert not stages["teachers"].modules & {"torch", "matplotlib"}


def test_fitting_and_distilling_without_torch_never_import_it(stages: Stages) -> None:
    assert "limbeck.students.wavelet.wavelet" in stages["wavelet"].modules
    assert "sklearn" in stages["distilled"].modules
    assert not stages["distilled"].modules & {"torch", "matplotlib", "transformers", "onnx"}


def test_a_tree_drawn_in_terminals_and_pages_loads_no_client_of_the_web(stages: Stages) -> None:
    """It would be a tenth of the time until a tree is distilled."""
    assert not stages["tree"].modules & {"urllib.request", "http.client"}


def test_what_needs_torch_says_so(stages: Stages) -> None:
    for name, said in zip(
        ("trim", "transforms"), stages["without torch"].said.splitlines(), strict=True
    ):
        assert said.startswith(f"limbeck.{name} needs torch. pip install")


def test_another_seed_of_hashes_finds_the_same_trees(stages: Stages) -> None:
    with redirect_stdout(io.StringIO()) as here:
        exec(SEARCH, {})
    assert here.getvalue() == stages["search"].said
    assert len(here.getvalue().split()) > 3


def test_a_student_of_another_package_distils_prints_saves_loads_and_verifies(
    stages: Stages,
) -> None:
    pytest.importorskip("pyarrow")
    printed, _, verified = stages["plugin"].said.rpartition("FROM THE SHELL")
    assert "majority" in printed
    assert "1 answer" in printed
    assert "verified" in verified.lower() or "holds" in verified.lower()


def test_the_command_prints_nothing_but_its_answers(stages: Stages, folder: Path) -> None:
    """An audit of scores alone, with weights, from a Parquet file."""
    pytest.importorskip("pyarrow")
    audit = stages["audit"]
    assert audit.complained == ""
    assert "Audit of score:" in audit.said
    assert "model of the outcome" not in audit.said
    assert "no outcome" in (folder / "only.html").read_text("utf-8").lower()


@pytest.mark.parametrize("name", limbeck.__all__)
def test_every_public_name_is_there(name):
    assert getattr(limbeck, name) is not None
    assert name in dir(limbeck)


def test_other_names_are_not():
    with pytest.raises(AttributeError, match="no attribute 'distil'"):
        limbeck.distil  # noqa: B018
