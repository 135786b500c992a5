"""Rows on disk: appended, continued after a stop, refused when damaged, and a full disk."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
from limbeck.core.errors import FileRefused
from limbeck.networks.cache.cache_file import Array, CacheFile, _checksum, locked

ARRAYS = {"a": Array((3,), "float32"), "b": Array((), "uint16")}


def _rows(start: int, stop: int) -> dict[str, np.ndarray]:
    places = np.arange(start, stop)
    return {"a": np.repeat(places[:, None], 3, 1).astype(np.float32), "b": places.astype(np.uint16)}


def _made(folder: Path, rows: int = 10, done: int = 10) -> CacheFile:
    file = CacheFile(folder, {"told": 1}, ARRAYS, rows)
    with file.appending():
        for start in range(0, done, 4):
            file.append(_rows(start, min(done, start + 4)))
    return file


def test_what_is_written_is_read(tmp_path: Path) -> None:
    file = _made(tmp_path)
    found = CacheFile.open(tmp_path)
    assert found is not None
    assert (found.done, found.rows, found.head, found.arrays) == (10, 10, {"told": 1}, ARRAYS)
    every = np.arange(10)
    np.testing.assert_array_equal(found.read("a", every), _rows(0, 10)["a"])
    np.testing.assert_array_equal(found.read("b", every), _rows(0, 10)["b"])
    np.testing.assert_array_equal(found.read("a", np.array([7, 2])), _rows(0, 10)["a"][[7, 2]])
    sizes = sum(f.stat().st_size for f in tmp_path.glob("*.npy"))
    assert file.nbytes == sizes == 2 * 128 + 10 * (12 + 2)
    np.testing.assert_array_equal(np.load(tmp_path / "b.npy", allow_pickle=False), np.arange(10))


def test_no_cache_in_a_folder(tmp_path: Path) -> None:
    assert CacheFile.open(tmp_path) is None
    assert CacheFile.open(tmp_path / "nowhere") is None


def test_work_goes_on_after_complete_rows(tmp_path: Path) -> None:
    _made(tmp_path, done=6)
    with (tmp_path / "a.npy").open("ab") as torn:  # a batch of which one array was written
        torn.write(b"\xff" * 17)
    file = CacheFile.open(tmp_path)
    assert file is not None
    assert file.done == 6
    with file.appending():
        file.append(_rows(6, 10))
    np.testing.assert_array_equal(file.read("a", np.arange(10)), _rows(0, 10)["a"])
    np.testing.assert_array_equal(file.read("b", np.arange(10)), _rows(0, 10)["b"])


def test_rows_are_entered_also_after_an_error(tmp_path: Path) -> None:
    file = CacheFile(tmp_path, {}, ARRAYS, 10)

    def work() -> None:
        with file.appending():
            file.append(_rows(0, 4))
            raise OSError("a file of the user's own")

    with pytest.raises(OSError, match="user's own"):
        work()
    found = CacheFile.open(tmp_path)
    assert found is not None
    assert found.done == 4


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "cannot be read"),
        ("[]", "cannot be read"),
        ('{"format": "other"}', "no limbeck teacher cache"),
        ('{"format": "limbeck teacher cache", "version": 99}', "newer"),
        ('{"format": "limbeck teacher cache", "version": 1}', "an older limbeck"),
        ('{"format": "limbeck teacher cache", "version": 2}', "checksum"),
        ('{"format": "limbeck teacher cache", "version": 2, "checksum": 1}', "not that of its"),
    ],
)
def test_a_damaged_header_is_refused(tmp_path: Path, content: str, told: str) -> None:
    (tmp_path / "cache.json").write_text(content)
    with pytest.raises(FileRefused, match=told):
        CacheFile.open(tmp_path)


def test_a_missing_or_short_array_is_refused(tmp_path: Path) -> None:
    _made(tmp_path)
    path = tmp_path / "a.npy"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(FileRefused, match="shorter than 10 rows"):
        CacheFile.open(tmp_path)
    path.unlink()
    with pytest.raises(FileRefused, match=r"a\.npy"):
        CacheFile.open(tmp_path)


def test_too_little_room_is_seen_before_anything_is_written(tmp_path: Path) -> None:
    file = CacheFile(tmp_path, {}, {"a": Array((10**6,), "float64")}, 10**12)
    with pytest.raises(FileRefused, match="8,000,000,000,000,000,000 more bytes"), file.appending():
        pytest.fail("there is no such disk")
    assert list(tmp_path.iterdir()) == []


_LIMITED = """
import resource, sys
from pathlib import Path
import numpy as np
from limbeck.core.errors import FileRefused
from limbeck.networks.cache.cache_file import Array, CacheFile
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
file = CacheFile(Path(sys.argv[1]), {}, {"a": Array((100,), "float32")}, 100)
try:
    with file.appending():
        for start in range(0, 100, 8):
            some = np.arange(start, min(100, start + 8), dtype=np.float32)
            file.append({"a": np.repeat(some[:, None], 100, 1)})
except FileRefused as error:
    print(error)
"""


def test_a_full_disk_leaves_valid_rows(tmp_path: Path) -> None:
    """The system refuses to write on, as it does where a disk is full, within a batch."""
    limit = 128 + 400 * 50 + 3
    run = subprocess.run(
        [sys.executable, "-c", _LIMITED, str(tmp_path), str(limit)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "cannot be written" in run.stdout
    assert "48 of 100 rows are complete and stay" in run.stdout
    assert "Make room for 20,800 bytes" in run.stdout
    file = CacheFile.open(tmp_path)
    assert file is not None
    assert file.done == 48
    with file.appending():
        some = np.arange(48, 100, dtype=np.float32)
        file.append({"a": np.repeat(some[:, None], 100, 1)})
    np.testing.assert_array_equal(file.read("a", np.arange(100))[:, 7], np.arange(100))


def test_removed(tmp_path: Path) -> None:
    _made(tmp_path).remove()
    assert list(tmp_path.iterdir()) == []


_HOLDS = """
import sys, time
from pathlib import Path
from limbeck.networks.cache.cache_file import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_one_process_at_a_time_and_a_killed_one_holds_nothing(tmp_path: Path) -> None:
    import fcntl

    folder = tmp_path / "new" / "folder"
    command = [sys.executable, "-c", _HOLDS, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with (folder / "lock").open("wb") as file, pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        other.kill()
    with locked(folder):
        pass


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FileRefused, match="cannot be used"), locked(tmp_path / "file" / "folder"):
        pytest.fail("a file is no folder")


@pytest.mark.parametrize(
    ("name", "shape", "rows", "why"),
    [
        ("../victim", [3], 10, "no name of an array"),
        ("/etc/victim", [3], 10, "no name of an array"),
        (".hidden", [3], 10, "no name of an array"),
        ("a", [-3], 10, "no array of shape"),
        ("a", [True], 10, "no array of shape"),
        ("a", [3], "10", "rows are complete"),
        ("a", [3], 4, "10 of 4 rows"),
    ],
)
def test_a_header_cannot_lead_out_of_its_folder(
    tmp_path: Path, name: str, shape: list[int], rows: int, why: str
) -> None:
    victim = tmp_path / "victim.npy"
    victim.write_bytes(b"mine")
    folder = tmp_path / "cache"
    folder.mkdir()
    _made(folder)
    data = json.loads((folder / "cache.json").read_text())
    del data["checksum"]
    data["arrays"][name] = [shape, "float32"]
    data["sums"][name] = data["sums"]["a"]
    data["rows"] = rows
    (folder / "cache.json").write_text(json.dumps({**data, "checksum": _checksum(data)}))
    with pytest.raises(FileRefused, match=why):
        CacheFile.open(folder)
    assert victim.read_bytes() == b"mine"
