"""The small run of each reproduction."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
ROOT = Path(__file__).resolve().parent.parent


def test_pac_trees_small() -> None:
    """The script itself fails below 0.999; here its table is read as well."""
    done = subprocess.run(
        [sys.executable, ROOT / "reproductions/pac_trees.py", "--small"],
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    rows = [line for line in done.stdout.splitlines() if line.startswith("| resnet")]
    assert len(rows) == 1
    cells = [cell.strip() for cell in rows[0].strip("|").split("|")]
    agreement, leaves, probes = float(cells[6]), int(cells[8]), int(cells[10].replace(",", ""))
    assert agreement >= 0.999
    assert 2 <= leaves <= 8
    assert 0 < probes <= 6000
