from __future__ import annotations

import numpy as np
import pytest

from limbeck import LimbeckError
from limbeck.samplers.subsets.by_vectors import (
    herding,
    k_center,
    k_means_prototypes,
    shares_of,
)


@pytest.fixture
def clusters():
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(6, 4)) * 20
    return np.vstack([c + rng.normal(size=(30, 4)) for c in centres]), np.repeat(range(6), 30)


@pytest.mark.parametrize("choose", [k_means_prototypes, k_center, herding])
def test_rows_are_different_ones_and_as_many_as_wanted(clusters, choose):
    X, _ = clusters
    places = choose(X, 40, np.random.default_rng(0))
    assert len(set(places.tolist())) == 40
    with pytest.raises(LimbeckError, match="200 rows are to be chosen of 180"):
        choose(X, 200, np.random.default_rng(0))


@pytest.mark.parametrize("choose", [k_means_prototypes, k_center])
def test_every_cluster_has_one(clusters, choose):
    X, of = clusters
    found = [len(set(of[choose(X, 6, np.random.default_rng(s))])) for s in range(5)]
    assert np.median(found) >= 5


def test_herding_is_the_rule_written_out(clusters):
    X, _ = clusters
    w, mean, taken = X.mean(axis=0), X.mean(axis=0), []
    for _ in range(12):
        order = [i for i in np.argsort(-(X @ w)) if i not in taken]
        taken.append(int(order[0]))
        w = w + mean - X[taken[-1]]
    assert herding(X, 12, np.random.default_rng(0)).tolist() == taken
    drawn = np.random.default_rng(1).choice(len(X), (200, 30))
    usual = np.median([np.linalg.norm(X[d].mean(axis=0) - mean) for d in drawn])
    close = np.linalg.norm(X[herding(X, 30, np.random.default_rng(0))].mean(axis=0) - mean)
    assert close < usual / 4


def test_the_greedy_radius_is_within_twice_of_any_other(clusters):
    X, _ = clusters

    def radius(places: np.ndarray) -> float:
        return float(np.linalg.norm(X[:, None] - X[places][None], axis=2).min(axis=1).max())

    found = radius(k_center(X, 6, np.random.default_rng(0)))
    rng = np.random.default_rng(1)
    assert found <= 2 * min(radius(rng.choice(len(X), 6)) for _ in range(300))


def test_shares_are_equal_as_far_as_classes_reach():
    codes = np.array([0] * 50 + [1] * 3 + [2] * 50)
    assert [k for _, k in shares_of(codes, 20)] == [9, 3, 8]
    assert [k for _, k in shares_of(codes, 1000)] == [50, 3, 50]
