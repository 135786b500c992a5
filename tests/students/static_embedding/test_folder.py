from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from limbeck.core.errors import FileRefused
from limbeck.students.static_embedding.folder import read_folder, write_folder

safetensors = pytest.importorskip("safetensors.numpy")
TABLE = np.arange(6, dtype=np.float16).reshape(3, 2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "new", TABLE, '{"tok": "ä"}', np.eye(2), 1, "print")


def test_what_is_written_is_read(folder: Path) -> None:
    table, tokenizer, basis, unknown = read_folder(folder)
    np.testing.assert_array_equal(table, TABLE)
    assert table.dtype == np.float16
    assert (tokenizer, unknown) == ('{"tok": "ä"}', 1)
    np.testing.assert_array_equal(basis, np.eye(2))
    modules = json.loads((folder / "modules.json").read_text())
    assert [m["type"].rsplit(".")[-1] for m in modules] == ["StaticEmbedding", "Normalize"]
    assert all((folder / m["path"]).is_dir() for m in modules)
    assert json.loads((folder / "config.json").read_text())["limbeck_fingerprint"] == "print"
    again = read_folder(write_folder(folder, TABLE, "{}", None, None, ""))
    assert again[1:] == ("{}", None, None)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("tokenizer.json", None, "holds no tokenizer.json"),
        ("config.json", b"{", "cannot be read"),
        ("config.json", b"[]", "not of length 1"),
        ("config.json", b'{"normalize": false}', "not of length 1"),
        ("model.safetensors", b"cut off", "cannot be read"),
    ],
)
def test_a_folder_that_was_changed_is_refused(
    folder: Path, name: str, content: bytes | None, says: str
) -> None:
    (folder / name).unlink() if content is None else (folder / name).write_bytes(content)
    with pytest.raises(FileRefused, match=says):
        read_folder(folder)


def test_a_quantised_vocabulary_is_refused(folder: Path) -> None:
    more = {"embeddings": TABLE, "mapping": np.arange(3)}
    (folder / "model.safetensors").write_bytes(safetensors.save(more))
    with pytest.raises(FileRefused, match=r"holds embeddings, mapping.*without a quantised"):
        read_folder(folder)
