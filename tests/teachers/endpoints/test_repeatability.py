from __future__ import annotations

import math

import numpy as np
import pytest

from limbeck.teachers.endpoints.repeatability import better_than_chance, repeatability_of


def test_changed_classes_are_counted_among_rows_that_were_always_answered():
    scores = np.array([
        [[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]],
        [[0.7, 0.3], [0.4, 0.6], [np.nan, np.nan]],
    ])  # fmt: skip
    found = repeatability_of(scores)
    assert (found.rows, found.times, found.changed) == (2, 2, 1)
    assert found.spread == pytest.approx(0.2)
    assert "1 changed the answer. The teacher is not a function" in str(found)
    steady = repeatability_of(scores[:, :1])
    assert steady.is_function  # another probability, the same class
    assert steady.at_most == pytest.approx(0.95)


def test_a_predicted_number_changes_where_it_differs_at_all():
    scores = np.array([[[1.0], [2.0]], [[1.0], [2.5]]])
    assert repeatability_of(scores).changed == 1
    none = repeatability_of(np.full((3, 4, 1), np.nan))
    assert (none.rows, none.changed, none.at_most) == (0, 0, 1.0)


def test_the_test_against_chance_is_the_binomial_tail():
    labels = np.array([0, 1] * 5)
    told = labels.copy()
    told[:2] = 1 - told[:2]
    found = better_than_chance(told, labels, 2)
    tail = sum(math.comb(10, i) for i in (8, 9, 10)) / 2**10
    assert (found.right, found.chance) == (8, 0.5)
    assert found.p_value == pytest.approx(tail)
    assert not found.better
    assert better_than_chance(0 * labels, labels | 1, 2).chance == 0.5  # agreement alone gives 0


def test_the_most_frequent_class_passes_for_nothing():
    labels = np.array([0] * 90 + [1] * 10)
    found = better_than_chance(0 * labels, labels, 2)
    assert found.chance == 0.9
    assert not found.better
