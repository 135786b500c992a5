"""A folder is the old result or the new one, whenever its writer is killed, whoever else writes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from limbeck.core.errors import FileRefused, InvalidInput
from limbeck.core.whole_folder import check_folder, open_folder, settle, whole_folder

OWNED, MARKS = ("result.json", "student.json", "steps", "more-*"), ("result.json",)


def _write(folder: Path, text: str, *more: str) -> None:
    with whole_folder(folder, OWNED, MARKS) as to:
        for name in ("result.json", "student.json", *more):
            (to / name).write_text(text)
        (to / "steps").mkdir()
        (to / "steps" / "one").write_text(text)


def _texts(folder: Path) -> set[str]:
    return {p.read_text() for p in folder.rglob("*") if p.is_file() and ".saving-" not in str(p)}


def test_a_folder_is_made_once_and_a_file_is_none(tmp_path: Path) -> None:
    for _ in range(2):
        assert open_folder(tmp_path / "deep" / "run").is_dir()
    (tmp_path / "file").write_text("here")
    with pytest.raises(InvalidInput, match="is a file"):
        open_folder(tmp_path / "file")
    with pytest.raises(FileRefused, match=r"cannot be made: Not a directory"):
        open_folder(tmp_path / "file" / "run")


@pytest.mark.parametrize("before", [False, True])
def test_nothing_changes_where_the_writer_fails(tmp_path: Path, before: bool) -> None:
    folder = tmp_path / "run"
    if before:
        _write(folder, "old")
    with pytest.raises(FileNotFoundError):
        _write(folder, "new", "no/such/place")
    assert _texts(tmp_path) == ({"old"} if before else set())
    assert [p.name for p in tmp_path.iterdir()] == (["run"] if before else [])


def test_the_new_result_leaves_nothing_of_the_old_and_all_that_is_others(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    _write(folder, "old", "more-1")
    (folder / "mine.txt").write_text("mine")
    _write(folder, "new", "more-2")
    assert {p.name for p in folder.iterdir()} == {
        "result.json", "student.json", "steps", "more-2", "mine.txt",
    }  # fmt: skip
    assert _texts(folder) == {"new", "mine"}
    assert (folder.stat().st_mode & 0o777) == (tmp_path / "run" / "steps").stat().st_mode & 0o777


def test_a_folder_that_holds_no_result_loses_nothing(tmp_path: Path) -> None:
    (tmp_path / "more-1").write_text("mine")
    _write(tmp_path, "new")
    assert (tmp_path / "more-1").read_text() == "mine"


def test_a_save_that_was_cut_off_among_its_files_is_finished_by_who_opens_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    _write(folder, "old", "more-1")
    moved, real = [0], Path.replace

    def cut(self: Path, target: Path) -> Path:
        moved[0] += 1
        if moved[0] == 2:
            raise KeyboardInterrupt
        return real(self, target)

    monkeypatch.setattr(Path, "replace", cut)
    with pytest.raises(KeyboardInterrupt):
        _write(folder, "new")
    monkeypatch.undo()
    assert _texts(folder) >= {"old", "new"}  # between the two
    settle(folder)
    assert _texts(folder) == {"new"}
    assert not (folder / "more-1").exists()
    assert not [p for p in folder.iterdir() if p.name.startswith(".")]


def test_what_killed_writers_left_is_cleared_but_not_of_those_alive(tmp_path: Path) -> None:
    (tmp_path / ".run.saving-dead").mkdir()
    with whole_folder(tmp_path / "run", OWNED) as to:
        (to / "result.json").write_text("first")
        _write(tmp_path / "run", "second")
        assert to.is_dir()
        assert not (tmp_path / ".run.saving-dead").exists()
    assert (tmp_path / "run" / "result.json").read_text() == "first"
    assert not list(tmp_path.glob(".run.saving-*"))


_WRITER = """
import sys, pathlib
sys.path.insert(0, {tests!r})
from test_whole_folder import _write
print("ready", flush=True)
for i in range(10**6):
    _write(pathlib.Path({folder!r}), {who!r} + str(i), *(["more-1"] if i % 2 else []))
"""


def _killed(folder: Path, kills: int, writers: int) -> None:
    rng = __import__("random").Random(0)
    for i in range(kills):
        code = [
            _WRITER.format(tests=str(Path(__file__).parent), folder=str(folder), who=f"{i}-{w}-")
            for w in range(writers)
        ]
        running = [
            subprocess.Popen([sys.executable, "-c", c], stdout=subprocess.PIPE) for c in code
        ]
        for one in running:
            assert one.stdout is not None
            one.stdout.readline()
        time.sleep(rng.uniform(0.001, 0.05))
        for one in running:
            os.kill(one.pid, signal.SIGKILL)
            one.communicate()
        if folder.exists():
            settle(folder)
            texts = {p.read_text() for p in folder.rglob("*") if p.is_file() and
                     not any(".saving-" in part for part in p.parts)}  # fmt: skip
            assert len(texts) == 1, texts
    _write(folder, "last")
    assert {p.name for p in folder.iterdir()} == {"result.json", "student.json", "steps"}
    assert not list(folder.parent.glob(".run.saving-*"))


def test_kills_mix_nothing(tmp_path: Path) -> None:
    _killed(tmp_path / "run", kills=2, writers=2)


@pytest.mark.slow
@pytest.mark.parametrize("writers", [1, 3])
def test_a_hundred_kills_mix_nothing(tmp_path: Path, writers: int) -> None:
    _killed(tmp_path / "run", kills=100, writers=writers)


def test_a_check_leaves_no_folder_that_was_not_there(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    check_folder(tmp_path / "mine" / "a" / "b")
    check_folder(tmp_path / "mine")
    assert [str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*")] == ["mine"]
    (tmp_path / "file").touch()
    with pytest.raises(FileRefused, match="cannot be made"):
        check_folder(tmp_path / "file" / "a" / "b")
