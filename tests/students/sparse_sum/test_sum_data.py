from __future__ import annotations

import numpy as np
import pytest

from limbeck.core.columns import Features
from limbeck.data.splits import split_folds
from limbeck.students.sparse_sum.sum_data import SumData, row_losses

RNG = np.random.default_rng(0)
X = RNG.standard_normal((500, 6))


def data_of(soft: np.ndarray, classifies: bool = True) -> SumData:
    n = len(soft)
    return SumData(Features.of(X[:n]), X[:n], soft, np.ones(n), split_folds(X[:n], RNG),
                   np.ones(n, dtype=bool), classifies)  # fmt: skip


def logistic(z: np.ndarray) -> np.ndarray:
    p = 1 / (1 + np.exp(-z))
    return np.column_stack([1 - p, p])


def test_soft_answers_beyond_the_clip_do_not_pull() -> None:
    """A teacher that is sure, or gives exact 0 and 1, has finite targets."""
    soft = logistic(50 * X[:, 0])
    soft[:5] = [1.0, 0.0]
    soft[5:9] = [0.0, np.nextafter(1.0, 2.0)]  # as softmax rounds
    targets = data_of(soft).targets()
    assert np.abs(targets).max() == pytest.approx(3.0)


def test_losses_are_disagreement_or_squared_error_per_variance() -> None:
    y = X[:, :1]
    data = data_of(y, classifies=False)
    assert row_losses(np.zeros((500, 1)), data, np.arange(500)).mean() == pytest.approx(
        (y**2).mean() / y.var()
    )
    soft = np.eye(3)[[0, 1, 2]]
    data = data_of(soft)
    assert row_losses(np.eye(3)[[0, 2, 2]], data, np.arange(3)).tolist() == [0, 1, 0]
