from __future__ import annotations

import numpy as np
import pytest

from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task
from limbeck.methods.scorecard import RoundToPoints

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 3))
Y = (X @ [2.0, -1.0, 0.3] + RNG.logistic(size=200) > 0).astype(int)


@pytest.mark.parametrize("most", [1, 3, 10])
def test_no_term_has_more_points_than_asked_for(most: int) -> None:
    rows, rng = Features.of(X).rows(X), np.random.default_rng(0)
    card = RoundToPoints(numbers=6, max_points=most).learn(rows, Y, Task((0, 1)), rng)
    points = card.sum_.weights
    np.testing.assert_array_equal(points, np.round(points))
    assert 1 <= np.abs(points).max() <= most
    assert card.score(X, Y) > 0.7


def test_points_are_at_least_one() -> None:
    with pytest.raises(InvalidInput, match="max_points"):
        RoundToPoints(max_points=0)
