from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from limbeck.core.errors import InvalidInput
from limbeck.students.text_classifier import search as searching
from limbeck.students.text_classifier.search import TextData, TextSettings, search

WORDS = np.random.default_rng(0).choice(list("abcdefgh"), (60, 6))
TEXTS = np.array([" ".join(w * 2 for w in row) for row in WORDS], dtype=object)
GOOD = (WORDS == "a").any(axis=1)
DATA = TextData(TEXTS, np.column_stack([~GOOD, GOOD]) * 1.0, np.ones(60), True)


def test_the_choice_with_the_smallest_loss_on_texts_left_out_is_taken() -> None:
    found = search(DATA, TextSettings(), np.random.default_rng(0))
    assert set(found.losses) == {"words", "characters", "both"}
    assert found.ngrams == min(found.losses, key=found.losses.__getitem__)
    assert (found.texts, found.penalty in searching.PENALTIES) == (60, True)
    # texts without weight are not read
    half = replace(DATA, weight=np.where(np.arange(60) < 30, 1.0, 0.0))
    assert search(half, TextSettings("words"), np.random.default_rng(0)).texts == 30


def test_of_few_texts_none_is_left_out() -> None:
    found = search(DATA.take(np.arange(19)), TextSettings("words"), np.random.default_rng(0))
    assert (found.losses, found.penalty, found.ngrams) == ({}, searching.PENALTIES[2], "words")


@pytest.mark.parametrize(
    ("settings", "says"),
    [({"ngrams": "word"}, "ngrams is 'word'.*'words'"), ({"max_terms": 1}, "max_terms"),
     ({"min_texts": 0}, "min_texts")],
)  # fmt: skip
def test_settings_out_of_range_are_refused(settings: dict, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        TextSettings(**settings)


def test_texts_that_share_nothing_need_other_settings() -> None:
    texts = np.array([chr(0x4E00 + i) for i in range(5)], dtype=object)
    data = TextData(texts, np.ones((5, 1)), np.ones(5), False)
    with pytest.raises(InvalidInput, match="No n-gram occurs in 2 of the 5 texts"):
        search(data, TextSettings("words"), np.random.default_rng(0))
