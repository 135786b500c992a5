from __future__ import annotations

import numpy as np

from limbeck.core.columns import Features
from limbeck.students.additive.bins import Bins
from limbeck.students.additive.pairs import best_pairs


def test_the_pair_that_interacts_is_first() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 5))
    features, weight = Features.of(X), np.ones(2000)
    bins = Bins.learn(features, X, weight, 16, 5)
    residual = (np.sign(X[:, 1] * X[:, 3]) + 0.5 * rng.normal(size=2000))[:, None]
    columns = np.arange(5)
    found = best_pairs(bins, features, bins.codes(X), residual, weight, columns, 2)
    assert found[0] == (1, 3)
    assert len(found) == 2
    without = best_pairs(bins, features, bins.codes(X), residual, weight, columns[[0, 1, 2]], 9)
    assert (1, 3) not in without
    assert len(without) == 3
