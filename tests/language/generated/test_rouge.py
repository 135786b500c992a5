from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from limbeck.language.generated.rouge import (
    RougeIndex,
    lcs_length,
    match_masks,
    rouge_l,
    rouge_tokens,
)


def table_lcs(a: list[str], b: list[str]) -> int:
    """The dynamic program, written out."""
    best = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            best[i + 1][j + 1] = best[i][j] + 1 if x == y else max(best[i][j + 1], best[i + 1][j])
    return best[-1][-1]


words = st.lists(st.sampled_from("abcdef"), max_size=70)
patient = settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
)


@patient
@given(words, words)
def test_bit_vectors_find_the_length_of_the_table(a, b):
    assert lcs_length(match_masks(a), len(a), b) == table_lcs(a, b)


def test_rouge_is_the_published_formula():
    a, b = "Write a poem about the sea.", "Write me one short poem about a sea, please"
    lcs = table_lcs(rouge_tokens(a), rouge_tokens(b))
    p, r = lcs / len(rouge_tokens(b)), lcs / len(rouge_tokens(a))
    assert lcs == 4
    assert rouge_l(a, b) == pytest.approx(2 * p * r / (p + r))
    assert rouge_l(a, "") == 0.0
    assert rouge_l("Größe", "Größe") == 1.0  # as published: gr and e
    assert rouge_tokens("Größe") == ["gr", "e"]
    assert rouge_tokens("Größe 猫犬", any_script=True) == ["größe", "猫", "犬"]


@patient
@given(st.lists(words, min_size=1, max_size=25), words, st.sampled_from([0.0, 0.4, 0.7]))
def test_the_index_finds_what_comparing_all_finds(texts, one, least):
    index = RougeIndex()
    for text in texts:
        index.add(" ".join(text))
    place, score = index.nearest(" ".join(one), least)
    scores = [rouge_l(" ".join(text), " ".join(one)) for text in texts]
    if max(scores) > least:
        assert score == max(scores) == scores[place]
    else:
        assert (place, score) == (-1, 0.0)


def test_repeated_words_count_as_often_as_they_stand():
    index = RougeIndex()
    index.add("very very good")
    assert index.nearest("very good very very")[1] == 2 * 2 / 7


def test_the_index_reads_few_of_many_texts():
    rng = random.Random(0)
    vocabulary = [f"w{i}" for i in range(2000)]
    index = RougeIndex()
    texts = [" ".join(rng.choices(vocabulary, k=12)) for _ in range(2000)]
    for text in texts:
        index.add(text)
    assert index.nearest(texts[77]) == (77, 1.0)
    assert index.nearest(" ".join(rng.choices(vocabulary, k=12)), 0.7) == (-1, 0.0)
