from __future__ import annotations

import numpy as np
import pytest

from limbeck.core.columns import Features
from limbeck.methods.few_labels.labelling import compared, different_rows


def test_rows_that_say_the_same_are_asked_about_once() -> None:
    X = np.array([[1, 2], [np.nan, 2], [1, 2], [np.nan, 2], [0.0, 1], [-0.0, 1], [2, np.nan]])
    rows = Features.of(X).rows(X)
    orders = [different_rows(rows, np.random.default_rng(seed)).tolist() for seed in range(5)]
    assert all(sorted(order) == [0, 1, 4, 6] for order in orders)
    assert len(set(map(tuple, orders))) > 1


def test_errors_and_agreement() -> None:
    soft = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.1, 0.9]])
    wrong, agreement = compared(soft[::-1], soft)
    assert (wrong.tolist(), agreement) == ([1, 1, 1, 1], 0.0)
    wrong, agreement = compared(soft[[0, 1, 1, 1]], soft, several=True)
    assert (wrong.tolist(), agreement) == ([0, 0, 1, 0], 0.75)
    value = np.array([[0.0], [2.0]])
    off, explained = compared(np.array([[0.0], [1.0]]), value)
    assert off.tolist() == [0.0, 1.0]
    assert explained == pytest.approx(0.5)  # a mean square of 0.5 of a variance of 1
