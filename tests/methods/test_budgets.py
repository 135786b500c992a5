from __future__ import annotations

import numpy as np

from limbeck.methods.budgets import used_rows


def test_rows_without_weight_are_left_out_and_of_many_some_are_drawn():
    weight = np.array([0.0, 2.0, 0.0, 1.0, 3.0])
    used, kept = used_rows(5, weight, 10, np.random.default_rng(0))
    assert (used.tolist(), kept.tolist()) == ([1, 3, 4], [2.0, 1.0, 3.0])
    used, kept = used_rows(5, weight, 2, np.random.default_rng(0))
    assert len(used) == 2
    assert (np.diff(used) > 0).all()
    assert kept.tolist() == weight[used].tolist()
    assert used_rows(3, None, 10, np.random.default_rng(0))[1].tolist() == [1.0, 1.0, 1.0]
