"""The examples run as a user would run them."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path

import pytest

pytest.importorskip("torch")
ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.slow
def test_demo_prints_the_table_and_writes_the_page(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "examples/breast_cancer.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    said = " ".join(done.stdout.split())
    assert "Take the " in said
    assert "with 95% confidence it differs from the teacher on at most" in said
    assert "Fitted again" in said
    assert "not done in" not in said  # within its time
    assert (tmp_path / "front.svg").read_text(encoding="utf-8").startswith("<svg")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<svg" in page
    assert "px²" in page  # units reach the drawing


@pytest.mark.slow
def test_the_demos_tree_stands_beside_the_better_greedy_tree(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "examples"))
    import breast_cancer
    import numpy as np

    import limbeck

    X, y = breast_cancer.measurements()
    order = np.random.default_rng(0).permutation(len(X))
    known, fresh = order[:200], order[200:]
    found = limbeck.distill(
        breast_cancer.train(X.iloc[known], y[known]), X.iloc[fresh], y[fresh], into="tree",
        classes=["benign", "malignant"], epsilon=0.1, holdout=0.4, seed=0, progress=False,
    )  # fmt: skip
    lines = found.to_frame().set_index("model")["agreement"]
    greedy = [value for name, value in lines.items() if name.startswith("greedy tree on rows")]
    assert len(greedy) == 1
    page = (ROOT / "docs/measurements/trees.md").read_text(encoding="utf-8")
    line = next(x for x in page.splitlines() if x.startswith("| 0 | .980"))
    shown = [float(cell.split()[0]) for cell in line.split("|")[2:4]]
    told = found.to_frame().query("role == 'student'")["agreement"].item()
    np.testing.assert_allclose([told, greedy[0]], shown, atol=0.0005)
    assert told >= found.to_frame().query("role == 'control'")["agreement"].item()


@pytest.mark.slow  # other hash seeds and two processes have tests of their own
def test_demo_is_the_same_in_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "import breast_cancer as b, limbeck\n"
        "X, y = b.measurements(); net = b.train(X[:200], y[:200])\n"
        "r = limbeck.tournament(net, X[200:], y[200:], classes=['benign', 'malignant'],"
        " into=['linear'], max_numbers=4, seconds=600, progress=False)\n"
        "print(r, [s.fingerprint() for s in r.students], r.best().certificate.rows)"
    )
    examples = str(ROOT / "examples")
    there = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([examples, *sys.path])},
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    ).stdout
    monkeypatch.syspath_prepend(examples)
    with redirect_stdout(io.StringIO()) as here:
        exec(code, {})
    assert here.getvalue() == there
    assert len(there) > 100


_NETS = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, width), nn.Tanh(), nn.Linear(width, 2))

    def forward(self, x):
        return self.layers(x)


torch.manual_seed(0)
teacher = Net(32)


def student():
    return Net(3)


def rows():
    return torch.randn(400, 4)
"""
_RUN = """
teacher: nets:teacher
student: nets:student
train: nets:rows
objective: [{weight: 1.0, name: SoftTargets, temperature: 2}]
epochs: 2
strategy: fsdp
out: run
"""


@pytest.mark.slow
def test_the_slurm_file_trains_with_the_processes_of_a_node(tmp_path: Path) -> None:
    """Of Slurm only the two commands that the file calls are stood in for."""
    (tmp_path / "nets.py").write_text(_NETS)
    (tmp_path / "run.yaml").write_text(_RUN)
    for name, does in (("srun", 'exec "$@"'), ("scontrol", "echo localhost")):
        (tmp_path / name).write_text(f"#!/bin/bash\n{does}\n")
        (tmp_path / name).chmod(0o755)
    places = os.pathsep.join([str(tmp_path), str(Path(sys.executable).parent), os.environ["PATH"]])
    slurm = {"JOB_NODELIST": "localhost", "NNODES": "1", "GPUS_ON_NODE": "2", "JOB_ID": "7"}
    env = os.environ | {"PATH": places, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"}
    done = subprocess.run(
        ["bash", ROOT / "examples/distill.sbatch", "run.yaml", "run"], cwd=tmp_path, timeout=600,
        env=env | {f"SLURM_{name}": value for name, value in slurm.items()},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("Written to run/") == 1
    assert (tmp_path / "run" / "run.yaml").is_file()  # by which a job put back goes on
