from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_class_weight

from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task
from limbeck.data.class_weights import class_weights

TASK = Task(("no", "yes", "unseen"))


@given(st.lists(st.integers(0, 1), min_size=1, max_size=50))
def test_balanced_is_what_scikit_learn_calls_so(y: list[int]) -> None:
    codes = np.array(y)
    found = class_weights("balanced", TASK, codes)
    peer = compute_class_weight("balanced", classes=np.unique(codes), y=codes)
    np.testing.assert_allclose(found[np.unique(codes)], peer)
    assert found[2] == 1.0


def test_sample_weights_count_in_the_balance() -> None:
    codes, weight = np.array([0, 0, 1]), np.array([1.0, 3.0, 2.0])
    found = class_weights("balanced", TASK, codes, weight)
    mass = np.bincount(codes, weights=weight * found[codes])
    assert mass[0] == pytest.approx(mass[1])


def test_weights_by_class_are_taken_as_they_are() -> None:
    codes = np.array([0, 1])
    assert class_weights({"yes": 5}, TASK, codes).tolist() == [1.0, 5.0, 1.0]
    assert class_weights(None, TASK, codes).tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("weight", "task", "message"),
    [
        ("balance", TASK, "Give 'balanced'"),
        ({"yess": 2}, TASK, "Did you mean 'yes'"),
        ({"yes": 0}, TASK, "above 0"),
        ({"yes": np.nan}, TASK, "above 0"),
        ({"yes": "2"}, TASK, "above 0"),
        (3, TASK, r"class_weight is 3\. Give a dict"),
        ([1, 2, 3], TASK, "Give a dict"),
        ("balanced", Task(), "a number is predicted"),
    ],
)
def test_what_cannot_be_used(weight: Any, task: Task, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        class_weights(weight, task, np.array([0, 1]))
