from __future__ import annotations

import numpy as np
import pytest

from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.methods.sparse_sum import SelectTerms

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 4))


@pytest.mark.parametrize("numbers", [2, 4, 8])
def test_terms_that_pay_most_are_chosen_within_the_numbers_asked_for(numbers: int) -> None:
    y = 5 * X[:, 2] + 2 * (X[:, 0] > 0.5) + 1
    rows, rng = Features.of(X).rows(X), np.random.default_rng(0)
    found = SelectTerms(numbers=numbers).learn(rows, y, Task(), rng)
    assert found.numbers <= numbers
    assert found.score(X, y) > (0.9 if numbers == 2 else 0.95 if numbers == 4 else 0.999)
