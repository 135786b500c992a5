from __future__ import annotations

import pytest

from limbeck.teachers.huggingface.declaration import HuggingFaceFolder


def test_a_folder_is_known_by_its_configuration_or_its_prefix(tmp_path):
    assert not HuggingFaceFolder.accepts(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    assert HuggingFaceFolder.accepts(tmp_path)
    assert HuggingFaceFolder.accepts(str(tmp_path))
    assert HuggingFaceFolder.accepts("hf:absent")
    for other in (tmp_path / "config.json", "absent", None, 3):
        assert not HuggingFaceFolder.accepts(other)


def test_its_class_is_loaded_when_it_is_asked_for():
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from limbeck.teachers.huggingface.teacher import HuggingFaceTeacher

    assert HuggingFaceFolder.load() is HuggingFaceTeacher
