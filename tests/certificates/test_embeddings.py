from __future__ import annotations

import numpy as np
import pytest

from limbeck import LimbeckError
from limbeck.certificates.embeddings import certify_embedding, triples_of


def vectors(n: int, d: int, noise: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    theirs = rng.normal(size=(n, d))
    return theirs + noise * rng.normal(size=(n, d)), theirs


def test_the_same_vectors_have_no_loss_whatever_their_length():
    own, theirs = vectors(300, 5, 0.0, 0)
    found = certify_embedding(own * 7, theirs, "f")
    assert [b.mean for b in found.bounds] == pytest.approx([0, 0, 0], abs=1e-9)
    assert [b.n for b in found.bounds] == [300, 150, 100]
    assert found["order"].bound == pytest.approx(1 - (0.05 / 3) ** (1 / 100))
    assert found["direction"].bound < 0.08


def test_means_are_those_of_the_definition():
    own, theirs = vectors(90, 4, 1.0, 1)
    found = certify_embedding(own, theirs, "f", seed=3)

    def cosine(v, a, b):
        return v[a] @ v[b] / np.linalg.norm(v[a]) / np.linalg.norm(v[b])

    both = [o @ t / np.linalg.norm(o) / np.linalg.norm(t) for o, t in zip(own, theirs, strict=True)]
    assert found["direction"].mean == pytest.approx(1 - np.mean(both))
    triples = triples_of(90, 3)
    assert len(set(triples.ravel().tolist())) == 90  # disjoint
    wrong = [
        (cosine(own, a, b) > cosine(own, a, c)) != (cosine(theirs, a, b) > cosine(theirs, a, c))
        for a, b, c in triples
    ]
    assert found["order"].mean == pytest.approx(np.mean(wrong))


def test_all_three_bounds_hold_at_once_as_often_as_they_say():
    """The true means by 100,000 draws; 120 certificates at delta = 0.2."""
    own, theirs = vectors(100_000, 3, 0.7, 9)
    truth = [b.mean for b in certify_embedding(own, theirs, "f").bounds]
    failed = 0
    for seed in range(120):
        found = certify_embedding(*vectors(60, 3, 0.7, seed), "f", delta=0.2, seed=seed)
        failed += any(b.bound < t for b, t in zip(found.bounds, truth, strict=True))
    assert failed <= 0.2 * 120


def test_students_are_ranked_by_direction_and_order_differently():
    """A rotation keeps all similarities and no direction."""
    own, theirs = vectors(300, 4, 0.0, 2)
    turned = own @ np.roll(np.eye(4), 1, axis=0)
    found = certify_embedding(turned, theirs, "f")
    assert found["direction"].mean > 0.5
    assert found["order"].mean == 0


def test_too_few_texts_or_other_shapes_are_refused():
    own, theirs = vectors(29, 4, 0.0, 0)
    with pytest.raises(LimbeckError, match="fewer than 30"):
        certify_embedding(own, theirs, "f")
    with pytest.raises(LimbeckError, match="shapes"):
        certify_embedding(own, theirs[:, :3], "f")
    with pytest.raises(LimbeckError, match="no bound 'x'"):
        certify_embedding(*vectors(40, 4, 0.0, 0), "f")["x"]
