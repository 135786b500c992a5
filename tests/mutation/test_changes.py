"""Mutants of a small module: what is changed, what is left alone, and what tests notice."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).parent
SOURCE = '''"""A module with 3 numbers in its docstring."""

LIMIT: "list[0]" = 5


def clipped(x: int, low: int = 0) -> int:
    """The number, or where it stops: 7."""
    if not isinstance(x, int):
        raise TypeError(f"{x + 1} is no number below {LIMIT - 1}.")
    if x < low or x > LIMIT:
        return low
    return x * 2
'''
TESTS = """from small import clipped

def test_inside():
    assert clipped(3) == 6

def test_outside():
    assert clipped(6) == 0
    assert clipped(-1) == 0
"""


@pytest.fixture
def changes() -> ModuleType:
    spec = importlib.util.spec_from_file_location("changes", HERE / "changes.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["changes"] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


def test_each_mutant_changes_one_thing(changes: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "small.py").write_text(SOURCE, encoding="utf-8")
    found = changes.mutants(tmp_path, "small.py")
    after = [m.diff(tmp_path).splitlines()[-1][1:].strip() for m in found]
    assert after == [
        "LIMIT: 'list[0]' = 6",
        "def clipped(x: int, low: int=1) -> int:",
        "if isinstance(x, int):",
        "if x < low and x > LIMIT:",
        "if x <= low or x > LIMIT:",
        "if x >= low or x > LIMIT:",
        "if x < low or x >= LIMIT:",
        "if x < low or x <= LIMIT:",
        "return None",
        "return None",
        "return x / 2",
        "return x * 3",
    ]
    assert len({m.key for m in found}) == len(found)


@pytest.mark.slow
def test_mutants_that_tests_notice_and_those_that_live(tmp_path: Path) -> None:
    """On a copy of the script beside the small module: those that live are known."""
    folder = tmp_path / "tests/mutation"
    folder.mkdir(parents=True)
    for name in ("__main__.py", "changes.py", "covering.py"):
        (folder / name).write_bytes((HERE / name).read_bytes())
    (tmp_path / "small.py").write_text(SOURCE, encoding="utf-8")
    (tmp_path / "test_small.py").write_text(TESTS, encoding="utf-8")
    command = [sys.executable, folder, "small.py", "--tests", "test_small.py"]
    first = subprocess.run(
        command, capture_output=True, text=True, env={"PYTHONPATH": str(tmp_path)}, check=True
    )
    assert "12 mutants: {'noticed': 10, 'survived': 2}" in first.stdout
    for line in ("x <= low", "x >= LIMIT"):
        assert any(row.startswith("+") and line in row for row in first.stdout.splitlines())
    again = subprocess.run(
        command, capture_output=True, text=True, env={"PYTHONPATH": str(tmp_path)}, check=True
    )
    assert "of 12:" not in again.stdout  # all are known
    assert "12 mutants: {'noticed': 10, 'survived': 2}" in again.stdout
