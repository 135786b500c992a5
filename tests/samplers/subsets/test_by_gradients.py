from __future__ import annotations

from itertools import combinations

import numpy as np

from limbeck.samplers.subsets.by_gradients import facility_location, gradient_distances


def test_distances_are_those_of_the_gradients_themselves():
    rng = np.random.default_rng(0)
    X, residuals = rng.normal(size=(8, 3)), rng.normal(size=(8, 4))
    rows = np.column_stack([X, np.ones(8)])
    gradients = np.einsum("nk,nd->nkd", residuals, rows).reshape(8, -1)
    expected = np.linalg.norm(gradients[:, None] - gradients[None], axis=2)
    np.testing.assert_allclose(gradient_distances(X, residuals), expected, atol=1e-7)


def test_the_greedy_choice_is_near_the_best_one():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(14, 2))
    D = np.linalg.norm(X[:, None] - X[None], axis=2)
    places, weights = facility_location(D, 4)
    assert len(set(places.tolist())) == 4
    assert weights.sum() == 14
    top = D.max() + 1

    def fall(some: tuple[int, ...]) -> float:
        return float((top - D[:, list(some)].min(axis=1)).sum())

    best = max(fall(some) for some in combinations(range(14), 4))
    assert fall(tuple(places)) >= (1 - 1 / np.e) * best
