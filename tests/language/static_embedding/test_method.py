from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

pytest.importorskip("tokenizers")

import limbeck
from limbeck import LimbeckError
from limbeck.language.static_embedding.method import components, counted_weights

WORDS = [f"w{i}" for i in range(60)]
RNG = np.random.default_rng(0)
TABLE = dict(zip(WORDS, RNG.normal(size=(60, 16)), strict=True))
TEXTS = [" ".join(RNG.choice(WORDS, 6)) for _ in range(900)]


def encode(texts) -> np.ndarray:
    """The sum of word vectors, bent and shifted: no table is it exactly."""
    sums = np.array([sum(TABLE.get(w, 0 * TABLE["w0"]) for w in t.split()) for t in texts])
    bent = np.tanh(sums / 3) + 0.3
    return bent / np.linalg.norm(bent, axis=1, keepdims=True)


def test_weights_come_from_counts_and_not_from_numbers():
    bags = csr_array(np.array([[0, 0, 1.0], [0, 0.5, 0.5]]))
    weights = counted_weights(bags, 0.1)
    assert weights[0] == 1.0
    assert weights[2] < weights[1] < weights[0]
    np.testing.assert_allclose(weights[2], 0.1 / (0.1 + 0.75))


def test_components_keep_cosines_without_centring():
    vectors = encode(TEXTS)
    basis = components(vectors, vectors, 16)
    np.testing.assert_allclose(basis.T @ basis, np.eye(16), atol=1e-9)
    lower = vectors @ basis
    np.testing.assert_allclose(lower @ lower[0], vectors @ vectors[0], atol=1e-9)


def test_a_table_is_certified_compared_and_saved(tmp_path):
    labels = np.array([sum(TABLE[w][0] for w in t.split()) > 0 for t in TEXTS])
    result = limbeck.distill(
        encode, TEXTS, labels, into="static_embedding", width=12, objective="both", epsilon=0.5
    )
    by = {m.role: m for m in result.models}
    assert by["student"].order.value > by["control"].order.value + 0.1
    assert by["student"].direction < by["baseline"].direction
    assert result.verdict.startswith("Distilling helped the order")
    assert "is reached" in " ".join(result.notes)
    for bound in result.certificate.bounds:
        assert bound.mean < bound.bound < 1
    again = limbeck.load(result.save(tmp_path / "table"))
    assert str(again) == str(result)
    assert again.verify(result.texts, result.vectors)
    assert not again.verify(result.texts, -np.asarray(result.vectors))


def test_a_folder_of_transformers_gives_its_own_tokens(saved):
    texts = [" ".join(t) for t in RNG.choice(["good", "bad", "film", "very", "story"], (300, 5))]
    texts = list(dict.fromkeys(texts))
    folder = saved("BertModel")
    result = limbeck.distill(f"hf:{folder}", texts, into="static_embedding", width=8)
    teacher = limbeck.as_teacher(f"hf:{folder}")
    vectors = teacher.token_vectors(range(len(teacher.tokenizer)))
    # between the marks around a text, a token is the text that it is
    at = teacher.tokenizer.convert_tokens_to_ids("film")
    np.testing.assert_allclose(vectors[at], teacher.scores(["film"])[0], atol=1e-5)
    assert "tokens of the teacher" in " ".join(result.notes)
    assert result.student.encode(["good film"]).shape == (1, 8)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"width": 0}, "width"),
        ({"objective": "cosines"}, "cosine"),
        ({"smoothing": -1.0}, "smoothing"),
        ({"widths": 3}, "no setting 'widths'"),
        ({"dtype": "int8"}, "dtype"),
        ({"groups": [1]}, "groups"),
        ({"holdout": (TEXTS, None)}, "holdout"),
    ],
)
def test_settings_are_refused_before_any_work(change, said):
    asked = []

    def counted(texts):
        asked.append(len(texts))
        return encode(texts)

    with pytest.raises(LimbeckError, match=said):
        limbeck.distill(counted, TEXTS, into="static_embedding", **change)
    assert not asked


def test_what_is_no_encoder_is_refused():
    with pytest.raises(LimbeckError, match="shape"):
        limbeck.distill(lambda t: np.zeros(len(t)), TEXTS, into="static_embedding")
    with pytest.raises(LimbeckError, match="3 different texts"):
        limbeck.distill(encode, ["a", "b", "c", "a", " "], into="static_embedding")
