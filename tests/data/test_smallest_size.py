from __future__ import annotations

import numpy as np

from limbeck.data.smallest_size import smallest_within


def test_the_smallest_size_within_a_standard_error_or_half_of_epsilon() -> None:
    losses = np.zeros((3, 100))
    losses[0, :30], losses[1, :10], losses[2, :8] = 1, 1, 1
    weight = np.ones(100)
    assert smallest_within(losses, weight, 0.0) == 1  # 0.10 is within 0.08 + 0.027
    assert smallest_within(losses, weight, 0.7) == 0
    losses[1, :20] = 1
    assert smallest_within(losses, weight, 0.0) == 2
