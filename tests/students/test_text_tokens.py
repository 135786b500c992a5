from __future__ import annotations

import numpy as np
import pytest

from limbeck.students.text_tokens import blocks, normalised, units_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Not bad!", ["not", "bad", "!"]),
        ("don't", ["don", "'", "t"]),
        ("  ", []),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),  # vowel signs stay in their word
        ("Straße STRASSE", ["strasse", "strasse"]),
        ("ﬁlm。好", ["film", "。", "好"]),
    ],
)
def test_words_of_any_script(text, words):
    assert units_of(text, "words") == words


def test_characters_have_single_spaces_between_words():
    assert units_of("A \t b\n", "characters") == " a b "
    assert normalised("Ａ") == "a"


def test_blocks_cover_all_texts_and_bound_their_length():
    texts = np.array(["x" * 10_000] * 7 + ["y"] * 5, dtype=object)
    found = list(blocks(texts))
    assert [i for part in found for i in range(part.start, part.stop)] == list(range(12))
    assert max(part.stop - part.start for part in found) == 8
