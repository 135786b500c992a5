"""What docs/extend.md says of each change holds: one source file, one test file, and it works.

The diffs of the page are applied to a copy of limbeck and its tests, and what they add to tests is
run there, in a fork of this process: torch and all other packages are loaded already.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import re
import shutil
import subprocess
import sys
import warnings
from contextlib import redirect_stderr, redirect_stdout
from fnmatch import fnmatch
from pathlib import Path

import pytest

pytest.importorskip("torch")
ROOT = Path(__file__).resolve().parent.parent
SECTION = re.compile(r"^## (.+?)\n(.*?)(?=^## |\Z)", re.M | re.S)


def changes() -> dict[str, str]:
    """The diffs of the page by the heading that they stand under."""
    page = (ROOT / "docs/extend.md").read_text(encoding="utf-8")
    found = {}
    for heading, text in SECTION.findall(page):
        diffs = re.findall(r"^```diff\n(.*?)^```", text, re.M | re.S)
        if diffs:
            found[heading] = "".join(diffs)
    return found


def test_each_change_touches_one_source_file_and_one_test_file() -> None:
    assert set(changes()) == {
        "A teacher", "A student", "A bound", "A column of a table", "An objective for networks",
    }  # fmt: skip
    for heading, diff in changes().items():
        files = re.findall(r"^\+\+\+ b/(.+)$", diff, re.M)
        assert sorted(f.split("/")[0] for f in files) == ["limbeck", "tests"], heading


def added(diff: str) -> str:
    """What a diff adds to tests, as `pytest -k` names it: test functions, and cases of a suite."""
    tests = diff[diff.index("+++ b/tests/") :]
    pairs = re.findall(r'^\+(?:def (test_\w+)|    "(\w+)": lambda)', tests, re.M)
    return " or ".join(function or case for function, case in pairs)


def run_copy(here: Path, arguments: list[str]) -> None:
    """In a fork: run pytest on the copy in that folder, with none of our own modules loaded."""
    own = [str(ROOT / "limbeck") + os.sep, str(ROOT / "tests") + os.sep]
    for name, module in list(sys.modules.items()):
        if (getattr(module, "__file__", None) or "").startswith(tuple(own)):
            del sys.modules[name]
    os.chdir(here)
    sys.path.insert(0, str(here))
    importlib.invalidate_caches()
    with open("said.txt", "w", encoding="utf-8") as to, redirect_stdout(to), redirect_stderr(to):
        code = pytest.main(arguments)
        print("of", sys.modules["limbeck"].__file__)
    os._exit(code)  # what is to be done at the end of this process is not done here


def test_the_changes_work(tmp_path: Path) -> None:
    compiled = f"*{sys.implementation.cache_tag}.pyc"  # with it: else all is compiled anew
    shutil.copytree(ROOT / "limbeck", tmp_path / "limbeck", ignore=lambda at, names: [
        name for name in names if at.endswith("__pycache__") and not fnmatch(name, compiled)
    ])  # fmt: skip
    files = re.findall(r"^\+\+\+ b/(tests/.+)$", "".join(changes().values()), re.M)
    needed = {*ROOT.glob("tests/**/conftest.py"), *(ROOT / file for file in files)}
    for file in filter(Path.exists, needed):
        here = tmp_path / file.relative_to(ROOT)
        here.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, here)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for diff in changes().values():
        done = subprocess.run(
            ["git", "apply", "-"], input=diff, cwd=tmp_path, text=True,
            capture_output=True,
            env={**os.environ, "GIT_CEILING_DIRECTORIES": str(tmp_path.parent)},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    names = " or ".join(added(diff) for diff in changes().values())
    arguments = ["-p", "no:cacheprovider", "-p", "no:xdist", "--assert=plain", "-rA", "-k", names]
    run = multiprocessing.get_context("fork").Process(
        target=run_copy, args=(tmp_path, [*arguments, *files])
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads that are not forked
        run.start()
    run.join()
    said = (tmp_path / "said.txt").read_text(encoding="utf-8")
    assert run.exitcode == 0, said[-3000:]
    assert f"of {tmp_path / 'limbeck'}" in said
    assert "failed" not in said
    assert len(re.findall(r"^PASSED", said, re.M)) >= len(names.split(" or "))
