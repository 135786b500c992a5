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
    page = (ROOT / "docs/measurements.md").read_text(encoding="utf-8")
    line = next(x for x in page.splitlines() if x.startswith("| 0 | .980"))
    shown = [float(cell.split()[0]) for cell in line.split("|")[2:4]]
    told = found.to_frame().query("role == 'student'")["agreement"].item()
    np.testing.assert_allclose([told, greedy[0]], shown, atol=0.0005)
    assert told >= found.to_frame().query("role == 'control'")["agreement"].item()


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
