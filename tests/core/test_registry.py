"""Names: limbeck's own, a user's, and those of a package that limbeck knows nothing of."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from limbeck.core.errors import InvalidInput
from limbeck.core.registry import (
    BOUNDS,
    LOSSES,
    METHODS,
    SAMPLERS,
    STUDENTS,
    Registry,
)
from limbeck.students.tree.tree import Tree

PLUGIN = Path(__file__).parents[1] / "plugin"


def test_limbecks_own_are_known_without_an_import():
    assert {"additive", "junta", "tree", "wavelet"} <= set(STUDENTS.names())
    assert {"adaptive_wavelets", "junta", "search_and_stitch"} <= set(METHODS.names())
    assert list(STUDENTS.names()) == sorted(STUDENTS.names())
    assert {"gaussian_copula", "jitter", "marginals", "munge"} <= set(SAMPLERS.names())
    assert STUDENTS.get("tree") is Tree
    assert STUDENTS.name_of(Tree) == "tree"
    assert STUDENTS.name_of(dict) is None


def test_every_student_by_name_has_a_method():
    into = {method.into for _, method in METHODS.items()}
    assert into <= set(STUDENTS.names())


def test_losses_and_bounds_have_names_too(monkeypatch):
    pytest.importorskip("torch")
    assert BOUNDS.names() == ("betting", "empirical-bernstein")
    assert {"SoftTargets", "GoldLabels", "HiddenStates"} <= set(LOSSES.names())
    monkeypatch.syspath_prepend(PLUGIN)
    found = Registry("limbeck.networks.losses", "loss")
    assert found.get("QuietLabels")().label_smoothing == 0


def test_unknown_and_taken_names_are_refused():
    with pytest.raises(InvalidInput, match=r"no student 'tre'\. Did you mean 'tree'"):
        STUDENTS.get("tre")
    own = Registry("limbeck.samplers", "sampler")

    @own.register("mine")
    class One: ...

    assert own.register("mine")(One) is One  # the same class, as when a module is reloaded

    class Two: ...

    with pytest.raises(InvalidInput, match=r"There is a sampler 'mine' already: .*One"):
        own.register("mine")(Two)


SCRIPT = """
import sys
import numpy as np
import limbeck
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
folder = sys.argv[1]
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
"""


def test_a_student_of_another_package_distils_prints_saves_loads_and_verifies(tmp_path):
    pytest.importorskip("pyarrow")
    path = f"{PLUGIN}:{Path(__file__).parents[2]}"
    environment = {"PYTHONPATH": path, "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"}

    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "run")], env=environment,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    printed, _, verified = done.stdout.rpartition("FROM THE SHELL")
    assert "majority" in printed
    assert "1 answer" in printed
    assert "verified" in verified.lower() or "holds" in verified.lower()
