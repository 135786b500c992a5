"""Killed runs go on; `python tests/kills --each 100` does it a hundred times for each kind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

KINDS = (
    "tree", "sparse_sum", "tournament", "audit", "wavelet", "training", "tune", "language",
    "record", "label", "generate",
)  # fmt: skip


def test_what_is_left_out_is_named_and_nothing_else(tmp_path: Path) -> None:
    """The comparison itself: one byte, one number, one file more are seen; seconds are not."""
    code = (
        "import sys, json, pathlib; sys.path.insert(0, sys.argv[1])\n"
        "import importlib.util as u\n"
        "s = u.spec_from_file_location('kills', sys.argv[1] + '/__main__.py')\n"
        "m = u.module_from_spec(s); s.loader.exec_module(m)\n"
        "a, b = (pathlib.Path(p) for p in sys.argv[2:])\n"
        "print(json.dumps(m.difference(m.content(a), m.content(b), 'b')))\n"
    )
    a, b = tmp_path / "a", tmp_path / "b"
    for folder, seconds in ((a, 1.0), (b, 2.0)):
        folder.mkdir()
        (folder / "same.json").write_text(f'{{"n": 1, "seconds": {seconds}, "out": "{folder}"}}')
        (folder / "page.html").write_text(str(seconds))
        (folder / "rows.npy").write_bytes(bytes(9))
        (folder / "other.json").write_text(f'{{"n": {seconds}}}')
    (b / "rows.npy").write_bytes(bytes([0] * 8 + [1]))
    (b / "more.bin").write_bytes(b"")
    here = str(Path(__file__).parent)
    said = subprocess.run([sys.executable, "-c", code, here, str(a), str(b)], check=True,
                          capture_output=True, text=True).stdout  # fmt: skip
    assert said.strip() == '["b: more.bin", "b: other.json", "b: rows.npy"]'


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_killed_a_hundred_times_and_going_on_gives_the_same(kind: str) -> None:
    """``LIMBECK_KILLS`` says how often."""
    pytest.importorskip("torch")
    each = os.environ.get("LIMBECK_KILLS", "100")
    command = [sys.executable, str(Path(__file__).parent), "--each", each, "--only", kind]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    line = done.stdout.splitlines()[2]
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells[0] == kind, done.stdout
    assert int(cells[2]) == int(each)
    assert cells[4:] == ["0", "0"], done.stdout
