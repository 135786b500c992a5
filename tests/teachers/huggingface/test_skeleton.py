from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from limbeck.core.errors import FileRefused  # noqa: E402
from limbeck.teachers.huggingface.skeleton import untrained_model  # noqa: E402


def test_a_model_has_the_shapes_of_its_folder_and_not_its_weights(saved):
    folder = saved("GPT2LMHeadModel")
    (folder / "model.safetensors").unlink()
    model, tokenizer = untrained_model(folder)
    assert type(model).__name__ == "GPT2LMHeadModel"
    assert model.transformer.wte.weight.shape == (len(tokenizer), 16)
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    (folder / "tokenizer_config.json").unlink()
    assert untrained_model(folder)[1] is None


def test_a_folder_that_cannot_be_read_is_refused(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "none of them"}')
    with pytest.raises(FileRefused, match=r"cannot be read: .*Save it again"):
        untrained_model(tmp_path)
