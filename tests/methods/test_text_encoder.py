from __future__ import annotations

import pickle

import numpy as np
import pytest

import limbeck
from limbeck import LimbeckError
from limbeck.methods.text_encoder import DistillTextEncoder

transformers = pytest.importorskip("transformers")
pytest.importorskip("onnxruntime")
WORDS = ["good", "bad", "film", "play", "so", "the"]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    from tokenizers import Tokenizer, models, pre_tokenizers

    folder = tmp_path_factory.mktemp("encoder")
    known = {w: i for i, w in enumerate(["[PAD]", "[UNK]", "[CLS]", *WORDS])}
    own = Tokenizer(models.WordLevel(known, unk_token="[UNK]"))
    own.pre_tokenizer = pre_tokenizers.Whitespace()
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=own, pad_token="[PAD]", unk_token="[UNK]", model_max_length=32
    ).save_pretrained(folder)
    config = transformers.BertConfig(
        vocab_size=len(known), hidden_size=32, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=40,
    )  # fmt: skip
    transformers.BertModel(config).save_pretrained(folder)
    return f"hf:{folder}"


@pytest.mark.slow
def test_an_encoder_is_fine_tuned_saved_as_onnx_and_takes_part(encoder, tmp_path):
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(WORDS, 5)) for _ in range(300)]

    def good(X):
        return np.array([t.split().count("good") > t.split().count("bad") for t in X])

    method = DistillTextEncoder(encoder)
    assert pickle.loads(pickle.dumps(method)) == method
    result = limbeck.distill(
        good, texts, classes=(False, True), into="text_classifier", method="encoder",
        encoder=encoder, epochs=12, learning_rate=3e-3, duplicates="keep", progress=False,
    )  # fmt: skip
    assert (result.student.predict(texts) == good(texts)).mean() > 0.8
    again = limbeck.load(result.save(tmp_path / "out"))
    np.testing.assert_array_equal(again.student.predict(texts), result.student.predict(texts))
    copy = pickle.loads(pickle.dumps(result.student))
    one = copy.predict_proba(["good film"])
    np.testing.assert_allclose(one, result.student.predict_proba(["good film"]), atol=1e-6)
    together = copy.predict_proba(["good film", "so so so the bad play"])[:1]
    np.testing.assert_allclose(one, together, atol=0.05)  # padding is masked
    assert result.student.explain("so good")[0][0] == "good"


def test_a_folder_that_is_none_is_refused():
    with pytest.raises(LimbeckError, match="no folder of transformers"):
        DistillTextEncoder("hf:./not-there")
    with pytest.raises(LimbeckError, match="no folder of transformers"):
        limbeck.distill(lambda X: [0] * len(X), ["a"] * 99, into="text_classifier",
                        among=["encoder"])  # fmt: skip
