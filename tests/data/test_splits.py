from __future__ import annotations

import numpy as np
import pytest

from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.data.cases import Units
from limbeck.data.splits import FOLDS, few_values, split_folds, split_units
from limbeck.methods.search_and_stitch.method import SearchAndStitch


def dealt(X, seed=0, **settings):
    return split_folds(X, np.random.default_rng(seed), **settings)


def test_folds_are_even_and_equal_rows_share_one():
    X = np.random.default_rng(0).normal(size=(103, 2))
    assert sorted(np.bincount(dealt(X))) == [20, 20, 21, 21, 21]
    assert sorted(np.bincount(dealt(X, folds=3))) == [34, 34, 35]
    again = dealt(np.repeat(X, 3, axis=0))
    assert (again.reshape(-1, 3) == again[::3, None]).all()
    assert len(np.unique(dealt(np.ones((1, 2))))) == 1
    assert FOLDS == 5


@pytest.mark.parametrize("hole", [np.nan, -0.0])
def test_equal_rows_with_a_missing_value_or_a_zero_share_a_fold(hole):
    X = np.random.default_rng(0).normal(size=(60, 3))
    X[:, 1] = np.abs(hole)
    other = X.copy()
    other[:, 1] = hole
    both = dealt(np.vstack([X, other]))
    assert (both[:60] == both[60:]).all()
    assert sorted(np.bincount(both)) == [24] * 5


def test_few_different_rows_are_dealt_one_by_one():
    """Else no row of a kind is left to predict it from, and every tree seems worse than a leaf."""
    X = np.random.default_rng(0).choice([-1.0, 1.0, np.nan], size=(400, 2))
    assert np.bincount(dealt(X)).tolist() == [80] * 5
    X = np.random.default_rng(0).choice([-1.0, 1.0], size=(400, 2))
    y = (X.sum(axis=1) > 0).astype(int)
    rows = Features.of(X).rows(X)
    tree = SearchAndStitch().learn(rows, y, Task((0, 1)), np.random.default_rng(0))
    assert tree.size == 3


def together(X):
    """Whether equal neighbours of a table share a fold, however folds are drawn."""
    return all((dealt(X, seed)[::2] == dealt(X, seed)[1::2]).all() for seed in range(3))


def test_rows_are_coincidences_up_to_50_different_ones_and_half_of_all():
    grid = np.array([[i, j] for i in range(10) for j in range(10)], dtype=float)
    assert not together(np.repeat(grid[:50], 2, axis=0))
    assert together(np.repeat(grid[:51], 2, axis=0))
    assert not together(np.repeat(grid[:3], 2, axis=0))
    pair = np.array([[0.0], [0.0], [1.0]])  # 2 different rows of 3
    assert all(dealt(pair, seed)[0] == dealt(pair, seed)[1] for seed in range(5))
    assert together(np.repeat(np.random.default_rng(0).normal(size=(20, 2)), 2, axis=0))


def test_few_values_are_at_most_ten_in_each_column():
    ten = np.repeat(np.arange(10.0), 2)
    assert few_values(np.stack([ten, ten], axis=1))
    assert not few_values(np.stack([ten, np.arange(20.0) % 11], axis=1))
    assert few_values(np.append(ten[2:], [np.nan, np.nan])[:, None])
    assert not few_values(np.append(ten, [np.nan, np.nan])[:, None])


def test_units_stay_on_one_side():
    units = Units(np.array([0, 1, 0, 2, 3]), np.array([0, 1, 3, 4]))
    kept, aside = split_units(units, np.array([1, 0, 2, 3]), 0.5)
    assert aside.tolist() == [0, 1, 2]
    assert kept.tolist() == [3, 4]
