from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from limbeck.core.errors import FileRefused  # noqa: E402
from limbeck.teachers.huggingface.folder import read_folder  # noqa: E402
from limbeck.teachers.huggingface.loading import load_model  # noqa: E402


def test_a_folder_is_loaded_for_answers_and_lacks_no_weights(saved):
    folder = saved("BertForSequenceClassification", num_labels=3)
    loaded = load_model(read_folder(folder), "cpu")
    assert not loaded.module.training
    assert loaded.module.classifier.out_features == 3
    assert loaded.reader("good film")["input_ids"] == [2, 4, 6, 3]
    encoder = saved("BertModel", num_hidden_layers=1)
    with pytest.raises(FileRefused, match=r"lack 'classifier\.bias' and 1 more, which would be"):
        load_model(read_folder(encoder, pipeline="text-classification"), "cpu")


def test_a_damaged_folder_is_refused_and_messages_are_as_before(saved):
    from transformers.utils import logging

    folder, before = saved("BertModel", num_hidden_layers=1), logging.get_verbosity()
    (folder / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(FileRefused, match="transformers cannot load"):
        load_model(read_folder(folder), "cpu")
    assert logging.get_verbosity() == before
