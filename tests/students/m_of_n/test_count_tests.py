from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limbeck.core.column import Feature
from limbeck.core.columns import Features
from limbeck.students.m_of_n.count_tests import (
    BeamSettings,
    CountTest,
    best_test,
    uncertainty,
)
from limbeck.students.m_of_n.literals import literal_table
from limbeck.students.rules.clause import Clause
from limbeck.students.rules.search import statistics
from limbeck.students.tree.conditions import Condition


def bits(d: int) -> np.ndarray:
    return np.array(list(itertools.product([0.0, 1.0], repeat=d)))


def found(X: np.ndarray, y: np.ndarray, classes: int = 2, **given) -> CountTest | None:
    features = Features.of(X)
    if not classes:
        y = y - y.mean()
    stats = statistics(y, np.ones(len(y)), classes)
    best = best_test(literal_table(features, X, stats, classes), stats, classes,
                     BeamSettings(**given))  # fmt: skip
    return None if best is None else best[0]


@settings(max_examples=12, deadline=None)
@given(st.data())
def test_an_m_of_n_function_is_found_exactly(data):
    n = data.draw(st.integers(1, 6))
    m = data.draw(st.integers(1, n))
    d = data.draw(st.integers(n, 8))
    columns = data.draw(st.permutations(range(d)))[:n]
    X = np.tile(bits(d), (max(1, 1500 >> d), 1))  # as many instances as TREPAN asks for
    flips = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    y = (((X[:, columns] > 0.5) ^ flips).sum(axis=1) >= m).astype(int)
    test = found(X, y)
    assert test is not None
    assert np.array_equal(test.holds(X), y == 1) or np.array_equal(test.holds(X), y == 0)
    assert len(test.literals) == n


def test_noise_is_not_added():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 2, (800, 12)).astype(float)
    y = (X[:, :3].sum(axis=1) >= 2).astype(int)
    y = np.where(rng.random(800) < 0.1, 1 - y, y)
    test = found(X, y)
    assert {c.columns[0] for c in test.literals} == {0, 1, 2}
    assert test.m == 2


def test_most_limits_conditions():
    X = bits(5)
    y = (X.sum(axis=1) >= 3).astype(int)
    assert len(found(X, y, most=1).literals) == 1
    assert len(found(X, y, most=3).literals) <= 3


def test_values_are_split_too():
    X = bits(5)
    y = np.where(X[:, :3].sum(axis=1) >= 2, 7.0, 1.0)
    test = found(X, y, classes=0)
    assert test.m == 2
    assert len(test.literals) == 3


@pytest.mark.parametrize("seed", range(6))
def test_branches_without_a_row(seed):
    """A test that all rows pass on the way is no error, whatever is predicted."""
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 2, (30, 6)).astype(float)
    assert found(X, X @ rng.normal(size=6), classes=0) is not None
    assert found(X, (X.sum(axis=1) > 3).astype(int)) is not None


def test_nothing_to_find():
    assert found(bits(3), np.zeros(8, dtype=int)) is None
    assert found(np.ones((8, 2)), np.arange(8) % 2) is None


def test_missing_values_hold_nothing():
    feature = Feature("a"), Feature("b")
    above = Clause.of({0: Condition(feature[0], low=1.0, missing=False)})
    below = Clause.of({1: Condition(feature[1], high=1.0, missing=False)})
    test = CountTest(1, (above, below))
    rows = np.array([[np.nan, np.nan], [2.0, np.nan], [np.nan, 0.0], [0.0, 2.0]])
    assert test.holds(rows).tolist() == [False, True, True, False]
    assert test.words() == "any of (a > 1; b <= 1)"
    assert test.numbers == 3
    features = Features(feature)
    assert CountTest.from_dict(test.to_dict(), features) == test
    for m in (0, 3, True):
        with pytest.raises(ValueError, match="cannot be asked"):
            CountTest.from_dict({**test.to_dict(), "m": m}, features)


def test_uncertainty_by_hand():
    assert uncertainty(2)(np.array([1.0, 1.0])) == pytest.approx(2 * np.log(2))
    assert uncertainty(2)(np.array([5.0, 0.0])) == pytest.approx(0, abs=1e-9)
    assert uncertainty(0)(np.array([2.0, 2.0, 4.0])) == pytest.approx(2.0)
