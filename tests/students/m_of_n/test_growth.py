from __future__ import annotations

import numpy as np
from sklearn.datasets import load_iris

from limbeck.core.columns import Features
from limbeck.students.m_of_n.count_tests import BeamSettings
from limbeck.students.m_of_n.growth import Growth, Instances


def test_the_leaf_that_is_worst_times_reach_is_expanded_next():
    X, y = load_iris(return_X_y=True)
    growth = Growth(Features.of(X), Instances(X, y, np.ones(len(y))), 3, 5, BeamSettings(),
                    np.random.default_rng(0))  # fmt: skip
    growth.run()
    first, second = growth.expanded[:2]
    assert first == 0
    others = [c for c in growth.nodes[0].children if c != second]
    wrong = {}
    for i in (second, *others):
        stats = growth.nodes[i].stats
        wrong[i] = stats.sum() - stats.max()
    assert wrong[second] == max(wrong.values())
