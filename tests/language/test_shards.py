from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from limbeck.core.errors import FileRefused
from limbeck.core.strict_json import write_json
from limbeck.language.shards import ShardFolder


def rows(start: int, count: int) -> list[dict[str, np.ndarray]]:
    return [
        {"ids": np.arange(i, dtype=np.uint16), "states": np.full((i + 1, 3), i, dtype=np.float16)}
        for i in range(start, start + count)
    ]


def folder(path: Path) -> ShardFolder:
    found = ShardFolder(path, {"keep": "top:2"}, 5)
    found.append(rows(0, 3), 6)
    found.append(rows(3, 2), 9)
    return found


def test_rows_of_any_length_come_back_in_any_order(tmp_path: Path) -> None:
    folder(tmp_path)
    found = ShardFolder.open(tmp_path)
    assert found is not None
    assert (found.done, found.rows, found.places) == (5, 5, 15)
    for i in (4, 0, 3, 1, 2):
        expected = rows(i, 1)[0]
        row = found.row(i)
        assert set(row) == set(expected)
        for name, array in expected.items():
            assert row[name].dtype == array.dtype
            np.testing.assert_array_equal(row[name], array)


def test_what_is_complete_stays_and_the_rest_goes_on(tmp_path: Path) -> None:
    ShardFolder(tmp_path, {"keep": "top:2"}, 5).append(rows(0, 3), 6)
    (tmp_path / "shard-000001.safetensors").write_bytes(b"half a shard of a killed run")
    found = ShardFolder.open(tmp_path)
    assert found is not None
    assert found.done == 3
    found.append(rows(3, 2), 9)
    again = ShardFolder.open(tmp_path)
    assert again is not None
    np.testing.assert_array_equal(again.row(4)["ids"], np.arange(4))


def test_a_changed_byte_is_refused_when_it_is_read(tmp_path: Path) -> None:
    folder(tmp_path)
    path = tmp_path / "shard-000000.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))
    found = ShardFolder.open(tmp_path)
    assert found is not None
    found.row(4)
    with pytest.raises(FileRefused, match="not what was written"):
        found.row(0)


@pytest.mark.parametrize("damage", ["cut", "gone", "outside", "list"])
def test_an_index_that_does_not_fit_is_refused(tmp_path: Path, damage: str) -> None:
    folder(tmp_path)
    path = tmp_path / "index.json"
    data = json.loads(path.read_text())
    if damage == "cut":
        (tmp_path / "shard-000001.safetensors").write_bytes(b"")
    elif damage == "gone":
        (tmp_path / "shard-000001.safetensors").unlink()
    elif damage == "outside":
        data["shards"][0]["file"] = "../shard-000000.safetensors"
    else:
        data["shards"] = [1]
    write_json(data, path)
    with pytest.raises(FileRefused, match="does not fit"):
        ShardFolder.open(tmp_path)


def test_nothing_is_nothing(tmp_path: Path) -> None:
    assert ShardFolder.open(tmp_path) is None
