from __future__ import annotations

import numpy as np
import pytest

import limbeck

pytest.importorskip("tokenizers")
pytest.importorskip("safetensors")

from limbeck import LimbeckError
from limbeck.students.static_embedding.static_embedding import StaticEmbedding
from limbeck.students.static_embedding.words import word_tokenizer

WORDS = ["good", "bad", "film", "良い", "!"]


@pytest.fixture
def student() -> StaticEmbedding:
    table = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
    table[0] = 0
    return StaticEmbedding(table, word_tokenizer(WORDS), np.eye(7, 4), unknown=0)


def test_a_text_is_the_mean_of_its_known_tokens_of_length_one(student):
    found = student.encode(["Good film!", "nothing known", "", "good strange film !"])
    mean = student.table[[1, 3, 5]].mean(axis=0)
    np.testing.assert_allclose(found[0], mean / np.linalg.norm(mean), atol=1e-6)
    assert not found[1:3].any()
    np.testing.assert_allclose(found[3], found[0], atol=1e-6)
    assert student.lifted(["good"]).shape == (1, 7)


def test_many_texts_are_encoded_as_each_alone(student):
    rng = np.random.default_rng(1)
    texts = [" ".join(rng.choice([*WORDS, "x"], rng.integers(0, 6))) for _ in range(1200)]
    together = student.encode(texts)
    alone = np.vstack([student.encode([t]) for t in texts[::37]])
    np.testing.assert_allclose(together[::37], alone, atol=1e-6)


def test_bags_are_shares_of_tokens(student):
    bags = student.bags(np.array(["good good film", "?"], dtype=object)).toarray()
    np.testing.assert_allclose(bags[0], [0, 2 / 3, 0, 1 / 3, 0, 0])
    assert not bags[1].any()


def test_saved_and_loaded(student, tmp_path):
    texts = ["good film", "良い film"]
    for dtype in ("float32", "float16"):
        kept = student.astype(dtype)
        again = StaticEmbedding.load(kept.save(tmp_path / dtype))
        np.testing.assert_array_equal(again.encode(texts), kept.encode(texts))
        np.testing.assert_array_equal(again.lifted(texts), kept.lifted(texts))
        assert again.fingerprint() == kept.fingerprint()
    assert student.astype("float16").bytes * 2 == student.bytes


@pytest.mark.slow
def test_sentence_transformers_reads_it(student, tmp_path):
    library = pytest.importorskip("sentence_transformers")
    texts = ["good film", "bad", "good good ! strange"]
    for dtype, off in (("float32", 1e-6), ("float16", 2e-3)):
        folder = student.astype(dtype).save(tmp_path / dtype)
        theirs = library.SentenceTransformer(str(folder), device="cpu").encode(texts)
        np.testing.assert_allclose(theirs, student.encode(texts), atol=off)


@pytest.mark.slow
def test_model2vec_reads_it_and_writes_what_is_read(student, tmp_path):
    library = pytest.importorskip("model2vec")
    texts = ["good film", "bad", "good good ! strange"]
    theirs = library.StaticModel.from_pretrained(student.save(tmp_path / "ours"))
    np.testing.assert_allclose(theirs.encode(texts), student.encode(texts), atol=1e-6)
    theirs.save_pretrained(tmp_path / "theirs")
    again = StaticEmbedding.load(tmp_path / "theirs")
    np.testing.assert_array_equal(again.encode(texts), student.encode(texts))


def test_a_folder_of_the_student_alone_is_loaded(student, tmp_path):
    again = limbeck.load(student.save(tmp_path / "s"))
    np.testing.assert_array_equal(again.encode(["good film"]), student.encode(["good film"]))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "modules.json").write_text("[]")
    with pytest.raises(LimbeckError, match=r"holds no model\.safetensors"):
        limbeck.load(tmp_path / "other")


def test_a_changed_folder_is_refused(student, tmp_path):
    folder = student.save(tmp_path / "s")
    (folder / "model.safetensors").write_bytes(b"broken")
    with pytest.raises(LimbeckError, match="cannot be read"):
        StaticEmbedding.load(folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(LimbeckError, match="holds no model"):
        StaticEmbedding.load(folder)


def test_what_does_not_fit_is_refused(student):
    with pytest.raises(LimbeckError, match="for 6 tokens"):
        StaticEmbedding(np.zeros((3, 2)), word_tokenizer(WORDS))
    with pytest.raises(LimbeckError, match="no texts"):
        student.encode("one text")
    with pytest.raises(LimbeckError, match="no texts"):
        student.encode([1.0, 2.0])
    with pytest.raises(LimbeckError, match="tokenizer cannot be read"):
        StaticEmbedding(np.zeros((3, 2)), "{}")
    with pytest.raises(LimbeckError, match="basis"):
        StaticEmbedding(student.table, word_tokenizer(WORDS), np.eye(3))


def test_a_tokenizer_that_cuts_has_the_same_fingerprint_when_saved(student, tmp_path):
    from tokenizers import Tokenizer

    cutting = Tokenizer.from_str(student.tokenizer.to_str())
    cutting.enable_truncation(4)
    cutting.enable_padding(length=4)
    made = StaticEmbedding(student.table, cutting.to_str(), student.basis, student.unknown)
    assert StaticEmbedding.load(made.save(tmp_path / "cut")).fingerprint() == made.fingerprint()
