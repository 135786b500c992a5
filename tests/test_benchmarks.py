"""Benchmarks that check something run where they can."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.slow
def test_the_checks_of_a_gpu_hold_on_the_cpu(tmp_path: Path) -> None:
    command = [sys.executable, ROOT / "benchmarks/gpu.py", "--device", "cpu", "--small"]
    done = subprocess.run(
        [*command, "--out", tmp_path / "found.json"], capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stdout + done.stderr
    checks = json.loads((tmp_path / "found.json").read_text())["checks"]
    assert sum(c["good"] is True for c in checks) >= 15
    assert not any(c["good"] is False for c in checks)
