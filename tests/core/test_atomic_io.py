from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from limbeck.core.atomic_io import write_bytes
from limbeck.core.errors import FileRefused


def test_a_file_is_replaced_whole_and_readable_as_usual(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("old, and longer than what comes")
    assert write_bytes(b"new", path) == path
    assert path.read_bytes() == b"new"
    plain = tmp_path / "plain"
    plain.touch()
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_the_old_file_stays_when_writing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, error: BaseException
) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(os, call, fail)
    with pytest.raises((FileRefused, KeyboardInterrupt)) as caught:
        write_bytes(b"new", path)
    assert isinstance(caught.value, KeyboardInterrupt) or "disk full" in str(caught.value)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.json"]


def test_a_full_disk_asks_for_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FileRefused, match=r"No space left on device\. Free some space"):
        write_bytes(b"new", tmp_path / "a.json")


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="cannot be written"):
        write_bytes(b"x", tmp_path / "no" / "a.json")


def test_what_a_killed_writer_left_is_cleared_but_not_of_one_alive(tmp_path: Path) -> None:
    code = (
        "import sys, os, time, limbeck.core.atomic_io as io\n"
        "os.fsync = lambda handle: (print('written', flush=True), time.sleep(60))\n"
        "io.write_bytes(b'x', sys.argv[1])\n"
    )
    path = tmp_path / "a.bin"
    writer = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    writer.stdout.readline()
    write_bytes(b"mine", path)
    assert len(list(tmp_path.iterdir())) == 2  # the other one is still at work
    writer.kill()
    writer.communicate()
    write_bytes(b"again", path)
    assert [p.name for p in tmp_path.iterdir()] == ["a.bin"]
