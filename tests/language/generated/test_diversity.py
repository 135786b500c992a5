from __future__ import annotations

import numpy as np
import pytest

from limbeck.language.generated.diversity import diversity, embedding_spread


def test_distinct_n_grams_by_hand():
    (found,) = diversity({"all": ["a b a b", "a b"]})
    assert found.tokens == 6
    # unigrams a b of 6; bigrams ab ba of 3 + 1; trigrams aba bab of 2; none runs over two texts
    assert found.distinct == pytest.approx((2 / 6, 2 / 4, 2 / 2))


def test_sets_are_measured_on_as_many_tokens():
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(list("abcdefghij"), 20)) for _ in range(100)]
    small, large = diversity({"small": texts[:5], "large": texts})
    assert small.tokens == large.tokens == 100
    assert abs(small.distinct[0] - large.distinct[0]) < 0.05  # 10 of 100 in both
    assert [one.texts for one in (small, large)] == [5, 100]


def test_the_spread_is_the_mean_over_pairs():
    vectors = np.random.default_rng(0).normal(size=(7, 3))
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    pairs = [1 - unit[i] @ unit[j] for i in range(7) for j in range(i)]
    assert embedding_spread(vectors) == pytest.approx(np.mean(pairs))
    assert np.isnan(embedding_spread(vectors[:1]))
