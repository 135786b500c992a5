from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.networks.conversion.opening import open_model  # noqa: E402


def test_an_open_model_says_its_layers_words_and_end(make_decoder):
    model = make_decoder("llama", 3).train()
    opened = open_model(model, SimpleNamespace(eos_token_id=7))
    assert opened.model is model
    assert not model.training
    assert (opened.name, opened.layers, opened.vocabulary) == ("LlamaForCausalLM", 3, 20)
    assert opened.end == 7
    assert open_model(model, SimpleNamespace(eos_token_id=None)).end is None


def test_what_has_no_tokenizer_or_no_blocks_is_refused(make_decoder):
    with pytest.raises(InvalidInput, match="LlamaForCausalLM was given without a tokenizer"):
        open_model(make_decoder("llama", 1))
    with pytest.raises(InvalidInput, match="Linear is no model of transformers"):
        open_model(torch.nn.Linear(2, 2), object())


def test_a_folder_of_an_encoder_is_refused_before_its_weights_are_read(tmp_path):
    config = {"model_type": "bert", "architectures": ["BertForSequenceClassification"]}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "model.safetensors").write_bytes(b"none")
    with pytest.raises(InvalidInput, match="holds a model for text-classification"):
        open_model(tmp_path)
