from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from limbeck.core.texts import as_texts
from limbeck.students import text_tokens as tokens
from limbeck.students.text_classifier.ngrams import Ngrams, stacked
from limbeck.students.text_tokens import units_of

ORDERS = {"words": (1, 2, 3), "characters": (2, 3, 5)}
TEXTS = st.lists(st.text(alphabet="ab cé好.!'", max_size=12), min_size=1, max_size=8)


@pytest.mark.parametrize("unit", ["words", "characters"])
@settings(max_examples=25, deadline=None)
@given(train=TEXTS, other=TEXTS)
def test_it_counts_as_scikit_learn_does(unit, train, other):
    """TfidfVectorizer with the same units, n-gram by n-gram, is the peer."""
    between = " " if unit == "words" else ""

    def analyzer(text):
        units = list(units_of(text, unit))
        return [
            between.join(units[i : i + n]) for n in ORDERS[unit] for i in range(len(units) - n + 1)
        ]

    peer = TfidfVectorizer(analyzer=analyzer, sublinear_tf=True, min_df=1)
    found = Ngrams.of(as_texts(train), unit, ORDERS[unit], 1, 10_000)
    try:
        peer.fit(train)
    except ValueError:  # an empty vocabulary
        assert len(found) == 0
        return
    assert set(found.terms) == set(peer.vocabulary_)
    order = [peer.vocabulary_[term] for term in found.terms]
    for texts in (train, other):
        expected = peer.transform(texts).toarray()[:, order]
        assert np.allclose(found.matrix(as_texts(texts)).toarray(), expected, atol=1e-4)


def test_the_most_frequent_ngrams_are_kept():
    found = Ngrams.of(as_texts(["a b", "a c", "a b", "d"]), "words", (1, 2), 2, 2)
    assert found.terms == ("a", "b")
    assert found.idf.tolist() == pytest.approx([1 + np.log(5 / 4), 1 + np.log(5 / 3)], abs=1e-4)


def test_blocks_do_not_change_a_column(monkeypatch):
    texts = as_texts([f"word{i % 7} and word{i % 3}" for i in range(50)])
    whole = [Ngrams.of(texts, unit, ORDERS[unit], 2, 99) for unit in ORDERS]
    matrix = stacked(whole, texts).toarray()
    monkeypatch.setattr(tokens, "_BLOCK", 40)
    parts = [Ngrams.of(texts, unit, ORDERS[unit], 2, 99) for unit in ORDERS]
    assert [set(p.terms) for p in parts] == [set(w.terms) for w in whole]
    assert np.allclose(stacked(whole, texts).toarray(), matrix)
    assert np.allclose((matrix**2).sum(axis=1), 1)
