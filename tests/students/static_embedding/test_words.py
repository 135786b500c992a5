from __future__ import annotations

import numpy as np
import pytest

from limbeck.students.static_embedding.words import UNKNOWN, frequent_words, word_tokenizer

TEXTS = np.array(["b a b b", "a c", "Ä ä B", "日本"], dtype=object)


def test_a_word_counts_once_in_each_text() -> None:
    assert frequent_words(TEXTS, 3) == ["b", "a", "c"]  # b and a in two texts, c in one
    assert frequent_words(TEXTS, 9, least=2) == ["b", "a"]


def test_tokens_are_words_in_lower_case_and_0_is_unknown() -> None:
    pytest.importorskip("tokenizers")
    from tokenizers import Tokenizer

    made = Tokenizer.from_str(word_tokenizer(["good", "ä"]))
    assert made.encode("Good Ä bad, ｇood").ids[:3] == [1, 2, 0]
    assert made.encode("ｇｏｏｄ").ids == [1]  # letters of full width are the same letters
    assert made.id_to_token(0) == UNKNOWN
