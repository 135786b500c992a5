from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from shutil import copytree

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

import limbeck
from limbeck.core.errors import InvalidInput
from limbeck.core.strict_json import write_json

X = np.random.default_rng(0).normal(size=(300, 3)).round(2)
Y = np.where(X[:, 0] + (X[:, 1] > 0.5) > 0.3, "yes", "no")
MODEL = LogisticRegression().fit(X[:100], Y[:100])

KILLED = """
import sys, numpy as np, limbeck
from dataclasses import dataclass
from typing import ClassVar
from sklearn.linear_model import LogisticRegression
from limbeck.core.registry import METHODS
from limbeck.methods.base import BaseMethod

@METHODS.register("sleeps")
@dataclass(frozen=True)
class Sleeps(BaseMethod):
    into: ClassVar[str] = "linear"
    effort: ClassVar[float] = 99.0
    name: ClassVar[str] = "sleeps"
    def distill(self, teacher, rows, rng, progress):
        print("asleep", flush=True)
        import time; time.sleep(600)
    def learn(self, rows, y, task, rng): ...

X = np.random.default_rng(0).normal(size=(300, 3)).round(2)
Y = np.where(X[:, 0] + (X[:, 1] > 0.5) > 0.3, "yes", "no")
model = LogisticRegression().fit(X[:100], Y[:100])
limbeck.tournament(model, X[100:], Y[100:], into=["linear"], max_numbers=8, out=sys.argv[1])
"""


def run(out, **given):
    rows = given.pop("rows", (X[100:], Y[100:]))
    given = {"into": ["linear"], "max_numbers": 8, "progress": False, **given}
    return limbeck.tournament(MODEL, *rows, out=out, **given)


def fingerprints(found):
    return [s.fingerprint() for s in found.students]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The folder of a tournament that ended, and what it found."""
    out = tmp_path_factory.mktemp("finished") / "cup"
    return out, run(out)


@pytest.mark.slow  # starts a process; runs that are there are gone on with below, too
def test_a_tournament_that_was_killed_goes_on_with_what_is_done(tmp_path, finished):
    out = tmp_path / "cup"
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(out)], stdout=subprocess.PIPE, text=True
    ) as work:
        assert work.stdout is not None
        assert work.stdout.readline() == "asleep\n"
        os.kill(work.pid, signal.SIGKILL)
    done = {p.name: p.stat().st_mtime_ns for p in (out / "runs").iterdir()}
    assert sorted(done) == ["linear-dense.json", "linear-l1_path.json"]
    found = run(out)
    assert {p.name: p.stat().st_mtime_ns for p in (out / "runs").iterdir()} == done
    _, whole = finished
    assert fingerprints(found) == fingerprints(whole)
    assert [c.left_out for c in found.candidates] == [c.left_out for c in whole.candidates]


def test_every_student_is_kept_and_loads(finished):
    out, found = finished
    again = limbeck.load(out)
    assert fingerprints(again) == fingerprints(found)
    for path, student in zip(sorted((out / "students").iterdir()), found.students, strict=True):
        one = limbeck.load(path)
        assert one.fingerprint() == student.fingerprint()
        assert np.array_equal(one.predict(X), student.predict(X))


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"max_numbers": 12}, "other max_numbers"),
        ({"seed": 1}, "other seed and rows or answers"),
        ({"rows": (X[110:], Y[110:])}, "other rows or answers"),
    ],
)
def test_other_settings_and_rows_are_refused(finished, other, message):
    with pytest.raises(InvalidInput, match=message):
        run(finished[0], **other)


def test_a_way_with_other_settings_is_run_again(tmp_path, finished):
    copytree(finished[0], tmp_path, dirs_exist_ok=True)
    before = fingerprints(finished[1])
    path = tmp_path / "runs/linear-dense.json"
    data = json.loads(path.read_text())
    data["method"]["query_weight"] = "0.25"
    write_json(data, path)
    now = time.time_ns()
    assert fingerprints(run(tmp_path)) == before
    assert path.stat().st_mtime_ns >= now - 10**9
    assert json.loads(path.read_text())["method"]["query_weight"] == "0.5"
