from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from limbeck.core.errors import FileRefused, InvalidInput
from limbeck.core.registry import TEACHERS
from limbeck.teachers import as_teacher
from limbeck.teachers.closed import Closed
from limbeck.teachers.entry import TeacherEntry
from limbeck.teachers.files import first_bytes, is_named, path_of


class Runs:
    """A pickle of it writes a file where it is loaded."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return (Path.touch, (self.mark,))


@pytest.mark.parametrize("name", ["model.pkl", "model.joblib", "renamed.onnx"])
def test_a_pickle_is_refused_by_suffix_or_content_and_never_loaded(tmp_path, name):
    mark = tmp_path / "was-run"
    (tmp_path / name).write_bytes(pickle.dumps(Runs(mark)))
    with pytest.raises(FileRefused, match=r"is a pickle.*skops\.io\.dump"):
        as_teacher(tmp_path / name)
    assert not mark.exists()


@pytest.mark.parametrize("name", ["model.pt", "model.pth", "model.ckpt", "model.bin"])
def test_pickled_weights_are_refused_with_the_way_to_convert(name):
    with pytest.raises(FileRefused, match=r"pickle of torch.*safetensors\.torch\.save_file"):
        as_teacher(name)


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(FileRefused, match="There is no file"):
        as_teacher(tmp_path / "absent.onnx")


def test_a_file_of_no_known_kind_is_refused_with_what_is_known(tmp_path, monkeypatch):
    monkeypatch.setattr(TEACHERS, "_known", {})

    @TEACHERS.register("parchment")
    class Parchment(Closed):
        entry = TeacherEntry("a scroll", "", files=(".scroll", "scroll:"))

        @classmethod
        def accepts(cls, model):
            return isinstance(model, str) and model.startswith("scroll:")

    (tmp_path / "notes.md").write_text("# notes")
    with pytest.raises(InvalidInput, match=r"no file of a known kind.*\.scroll or scroll: \(a sc"):
        as_teacher(str(tmp_path / "notes.md"))
    with pytest.raises(InvalidInput, match="names no file and nothing that is known"):
        as_teacher("package.module:net")
    assert is_named("a.SCROLL")
    assert is_named("scroll:a")
    assert not is_named("package.module:net")


def test_prefixes_are_no_paths_and_drives_are(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert path_of("hf:folder") is None
    assert path_of("C:\\model.onnx") == Path("C:\\model.onnx")
    assert path_of(3) is None
    Path("hf:folder").touch()
    assert path_of("hf:folder") == Path("hf:folder")
    assert first_bytes(tmp_path / "absent") == b""
    assert first_bytes(tmp_path) == b""
