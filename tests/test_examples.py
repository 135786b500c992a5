"""The examples run as a user would run them."""

from __future__ import annotations

import subprocess
import sys
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


def test_demo_is_the_same_twice(tmp_path: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import breast_cancer as b, limbeck\n"
        "X, y = b.measurements(); net = b.train(X[:200], y[:200])\n"
        "r = limbeck.tournament(net, X[200:], y[200:], classes=['benign', 'malignant'],"
        " into=['linear'], max_numbers=8, seconds=600, progress=False)\n"
        "print(r, [s.fingerprint() for s in r.students], r.best().certificate.rows)"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code, str(ROOT / "examples")],
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        ).stdout
        for _ in range(2)
    ]
    assert runs[0] == runs[1]
    assert len(runs[0]) > 100
