from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from limbeck.core.errors import InvalidInput
from limbeck.teachers import as_teacher
from limbeck.teachers.huggingface.chunks import Chunks, averaged, chunks_of
from tests.teachers.huggingface.conftest import WORDS

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

LONG = " ".join(np.random.default_rng(1).choice(WORDS, 37))
NAMES = {0: "no", 1: "maybe", 2: "yes"}


@pytest.fixture(scope="module")
def classifier(saved):
    return saved("BertForSequenceClassification", id2label=NAMES,
                 label2id={name: i for i, name in NAMES.items()})  # fmt: skip


def test_pieces_are_the_text_again_and_end_between_words(tokenizer):
    texts = np.array([LONG, "", "good film", "  bad  " * 9], dtype=object)
    found = chunks_of(tokenizer, texts, 5)
    for i, text in enumerate(texts):
        pieces = found.pieces[found.owner == i]
        assert "".join(pieces) == text
        assert all(len(piece.split()) <= 5 for piece in pieces)
    assert found.tokens[found.owner == 0].tolist() == [5, 5, 5, 5, 5, 5, 5, 2]
    # Where no space separates words a text is cut between tokens.
    joined = chunks_of(tokenizer, np.array(["good." * 9], dtype=object), 4)
    assert "".join(joined.pieces) == "good." * 9
    assert joined.tokens.max() <= 4


def test_probabilities_of_chunks_are_averaged_by_their_tokens(classifier):
    teacher = as_teacher(classifier, truncation="chunks")
    plain = as_teacher(classifier)
    words = LONG.split()
    pieces = [" ".join(words[i : i + 14]) for i in range(0, 37, 14)]
    p = softmax(plain.scores(pieces), axis=1)
    expected = np.average(p, axis=0, weights=[14, 14, 9])
    assert np.allclose(softmax(teacher.scores(["good", LONG]), axis=1)[1], expected, atol=1e-6)
    assert np.allclose(softmax(teacher.scores(["good"])), softmax(plain.scores(["good"])))
    teacher.scores([LONG])
    assert teacher.answer_notes == (
        "1 different text of more than 16 tokens answered in chunks, which were averaged.",
    )


def test_vectors_stay_of_length_one_and_labels_are_averaged_each_for_itself():
    two = Chunks(np.array(["a", "b", "c"], object), np.array([0, 0, 1]), np.array([3, 1, 2]))
    scores = np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]])
    found = averaged(scores, two, "unit vectors")
    assert np.allclose(found, [np.array([3, 1]) / np.sqrt(10), [0.6, 0.8]])
    labels = averaged(scores, two, "labels")
    p = 1 / (1 + np.exp(-labels))
    assert np.allclose(p[0], [(3 * 0.731058578 + 0.5) / 4, (1.5 + 0.731058578) / 4])


def test_what_has_no_chunks_is_refused(saved, classifier):
    with pytest.raises(InvalidInput, match="truncation is 'chunk'"):
        as_teacher(classifier, truncation="chunk")
    causal = saved("GPT2LMHeadModel")
    with pytest.raises(InvalidInput, match="asked for text-generation"):
        as_teacher(causal, truncation="chunks", classes=["good", "bad"])
