from __future__ import annotations

import numpy as np
import pytest

from limbeck.students.additive.numbers import numbers_of


def count(table, *kinds: str, missing: bool = False) -> int:
    table = np.array(table, dtype=float)
    seen = tuple(np.arange(n) < n - (not missing) for n in table.shape[: len(kinds)])
    return numbers_of(table, kinds, seen)


@pytest.mark.parametrize(
    ("table", "kind", "numbers"),
    [
        ([1, 1, 1, 0], "numeric", 0),
        ([1, 2, 2, 0], "numeric", 2),
        ([1, 2, 3, 0], "numeric", 4),
        ([0, 1, 0], "boolean", 1),
        ([0, 0, 5, 0], "categorical", 1),
        ([1, 2, 3, 0], "categorical", 2),
    ],
)
def test_single_columns(table, kind, numbers) -> None:
    assert count(table, kind) == numbers


def test_missing_values_are_a_level_where_there_were_some() -> None:
    assert count([1, 2, 7], "numeric") == 2
    assert count([1, 2, 7], "numeric", missing=True) == 3
    assert count([1, 2, 1], "numeric", missing=True) == 2


def test_classes_share_thresholds() -> None:
    assert count([[0, 0, 0], [1, 0, 2], [0, 0, 0]], "numeric") == 3  # a threshold, two changes


def test_a_product_of_two_steps_holds_three() -> None:
    table = np.zeros((4, 3))
    table[2, 1] = 1.0  # above the second threshold of one and the only one of the other
    assert count(table, "numeric", "numeric") == 3
    assert count(table - 0.7, "numeric", "numeric") == 3
    assert count(table + np.array([0, 1, 1, 0.0])[:, None], "numeric", "numeric") == 5
