from __future__ import annotations

import json
import shutil

import pytest

from limbeck.core.errors import FileRefused, InvalidInput
from limbeck.teachers import as_teacher
from limbeck.teachers.huggingface.folder import read_folder

pytest.importorskip("torch")


@pytest.fixture
def folder(saved, tmp_path):
    return shutil.copytree(saved("BertForSequenceClassification"), tmp_path / "copy")


def change(path, **values) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_architectures_say_what_is_asked(folder):
    assert read_folder(folder).pipeline == "text-classification"
    assert read_folder(f"hf:{folder}", "feature-extraction").pipeline == "feature-extraction"
    with pytest.raises(InvalidInput, match="text-classification"):
        read_folder(folder, "text-clasification")
    change(folder / "config.json", architectures=["BertForPreTraining"])
    with pytest.raises(InvalidInput, match="BertForPreTraining"):
        read_folder(folder)


def test_pickled_weights_are_refused_by_name(folder):
    (folder / "model.safetensors").unlink()
    with pytest.raises(FileRefused, match=r"no \.safetensors"):
        as_teacher(f"hf:{folder}")
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04cos\nsystem\n")
    with pytest.raises(FileRefused, match=r"'pytorch_model\.bin'.*save_pretrained"):
        as_teacher(f"hf:{folder}")


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json"])
def test_code_of_its_own_is_refused(folder, name):
    change(folder / name, auto_map={"AutoModel": "evil.Model"})
    (folder / "evil.py").write_text("raise SystemExit")
    with pytest.raises(FileRefused, match="auto_map"):
        as_teacher(f"hf:{folder}")


def test_weights_that_would_be_random_are_refused(saved):
    with pytest.raises(FileRefused, match=r"lack 'classifier\.bias'"):
        as_teacher(saved("BertModel"), pipeline="text-classification")


def test_broken_folders_are_refused(folder, tmp_path):
    with pytest.raises(FileRefused, match="no folder"):
        as_teacher("hf:owner/name")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:500])
    with pytest.raises(FileRefused, match="cannot load"):
        as_teacher(folder)
    (folder / "adapter_config.json").write_text("{}")
    with pytest.raises(FileRefused, match="adapter"):
        as_teacher(folder)
    (folder / "config.json").write_text("{")
    with pytest.raises(FileRefused, match=r"config\.json"):
        as_teacher(folder)
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(FileRefused):
        as_teacher(f"hf:{empty}")


def test_an_index_that_leads_outside_is_refused(folder):
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "../model.safetensors"}}))
    with pytest.raises(FileRefused, match="index"):
        read_folder(folder)


def test_unknown_modules_of_sentence_encoders_are_refused(folder):
    (folder / "modules.json").write_text(json.dumps([{"type": "evil.Module", "path": ""}]))
    with pytest.raises(FileRefused, match=r"evil\.Module"):
        read_folder(folder)
