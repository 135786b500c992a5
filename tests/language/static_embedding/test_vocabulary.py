from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("tokenizers")

from limbeck.core.progress import quiet
from limbeck.language.static_embedding.vocabulary import vocabulary_of


class Lengths:
    """An encoder without a tokenizer: the letters of a word, and one."""

    def scores(self, X):
        self.asked = X.tolist()
        return np.array([[len(x), 1.0] for x in X])


class Backend:
    def get_vocab_size(self):
        return 600

    def to_str(self):
        return "{}"


class Tokens:
    """An encoder of 600 tokens, two of them special."""

    tokenizer = SimpleNamespace(
        is_fast=True, all_special_ids=[0, 599, None, 600], unk_token_id=3,
        backend_tokenizer=Backend(),
    )  # fmt: skip

    def token_vectors(self, ids):
        return np.array([[i + 1.0] for i in ids])


def test_without_a_tokenizer_the_words_of_the_texts_are_asked_about():
    teacher = Lengths()
    found = vocabulary_of(teacher, np.array(["a film", "a play"], dtype=object), quiet)
    assert sorted(teacher.asked) == ["a", "film", "play"]
    assert found.vectors[1:].tolist() == [[len(w), 1.0] for w in teacher.asked]
    assert found.vectors[found.unknown].tolist() == [0.0, 0.0]
    assert found.source == "3 words of the texts"


def test_every_token_is_asked_about_once_and_special_ones_count_nothing():
    told = []
    found = vocabulary_of(Tokens(), np.array([]), lambda *step: told.append(step))
    expected = np.arange(600) + 1.0
    expected[[0, 599]] = 0.0
    assert found.vectors[:, 0].tolist() == expected.tolist()
    assert [done for _, done, _ in told] == [0, 256, 512]
    assert (found.unknown, found.source) == (3, "600 tokens of the teacher")
