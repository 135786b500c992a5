from __future__ import annotations

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

pytest.importorskip("tokenizers")

from limbeck.students.static_embedding.lsa import table_without_teacher
from limbeck.students.static_embedding.static_embedding import StaticEmbedding
from limbeck.students.static_embedding.words import word_tokenizer

WORDS = ["cat", "dog", "pet", "car", "bus", "road"]
TEXTS = np.array(["cat pet", "dog pet", "cat dog pet", "car road", "bus road", "car bus road"],
                 dtype=object)  # fmt: skip


def test_words_of_the_same_texts_lie_together() -> None:
    student = StaticEmbedding(np.zeros((7, 2)), word_tokenizer(WORDS), unknown=0)
    made = table_without_teacher(student, TEXTS, 0)
    assert (made.table.shape, made.unknown) == ((7, 2), 0)
    assert abs(made.table[0]).max() < 1e-6
    vectors = made.encode(WORDS)
    near = vectors @ vectors.T
    assert near[:3, :3].min() > 0.95
    assert near[3:, 3:].min() > 0.95
    assert abs(near[:3, 3:]).max() < 0.1
    peer = TfidfVectorizer(vocabulary=WORDS).fit(TEXTS)
    right = np.linalg.svd(peer.transform(TEXTS).toarray())[2][:2]
    np.testing.assert_allclose(abs(made.table[1:]), abs(right.T * peer.idf_[:, None]), atol=1e-5)


def test_a_table_wider_than_the_texts_ends_in_zeros() -> None:
    student = StaticEmbedding(np.zeros((7, 9)), word_tokenizer(WORDS), unknown=0)
    made = table_without_teacher(student, TEXTS[:3], 0)
    assert made.table[:, :2].any(axis=0).all()
    assert not made.table[:, 2:].any()
