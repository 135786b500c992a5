from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from limbeck.certificates.binomial import smallest_n, upper_bound
from limbeck.certificates.tolerance import tolerance_bound
from limbeck.core.errors import InvalidInput


def test_known_order_statistics() -> None:
    errors = np.random.default_rng(0).permutation(np.arange(1.0, 60.0))
    assert tolerance_bound(errors, 0.05, 0.05) == (59.0, 0)  # 59 rows just suffice: the largest
    errors = np.arange(1.0, 94.0)
    assert tolerance_bound(errors, 0.05, 0.05) == (92.0, 1)  # 93 rows allow one beyond


@given(st.floats(0.02, 0.5), st.floats(0.01, 0.5), st.integers(1, 200), st.integers(0, 9))
def test_the_rows_set_aside_are_those_that_the_exact_bound_allows(
    epsilon: float, delta: float, more: int, seed: int
) -> None:
    n = smallest_n(epsilon, delta) + more
    errors = np.random.default_rng(seed).exponential(size=n)
    t, k = tolerance_bound(errors, epsilon, delta)
    assert (errors > t).sum() == k
    assert upper_bound(k, n, delta) <= epsilon * (1 + 1e-9)
    assert upper_bound(k + 1, n, delta) > epsilon * (1 - 1e-9)


@given(st.floats(0.5, 100))
def test_the_tolerance_has_the_unit_of_the_errors(factor: float) -> None:
    errors = np.random.default_rng(0).exponential(size=100)
    t, k = tolerance_bound(errors, 0.1, 0.1)
    assert tolerance_bound(factor * errors, 0.1, 0.1) == (pytest.approx(factor * t), k)


@pytest.mark.parametrize("epsilon", [0.3, 0.01])
def test_false_certificates(epsilon: float) -> None:
    rng = np.random.default_rng(0)
    false = [1 - tolerance_bound(rng.random(500), epsilon, 0.1)[0] > epsilon for _ in range(1000)]
    assert np.mean(false) <= 0.1 + 3 * math.sqrt(0.1 * 0.9 / 1000)


def test_too_few_rows_names_how_many() -> None:
    with pytest.raises(InvalidInput, match="at least 59 fresh rows"):
        tolerance_bound(np.ones(58), 0.05, 0.05)


@pytest.mark.parametrize("bad", [[-1.0, 2.0], [math.nan, 1.0], [[1.0, 2.0]]])
def test_errors_must_be_sizes(bad: list[float]) -> None:
    with pytest.raises(InvalidInput, match="absolute errors"):
        tolerance_bound(np.array(bad), 0.5, 0.5)


def test_the_tolerance_is_that_of_sorted_errors() -> None:
    errors = np.random.default_rng(3).permutation(np.arange(5000.0))
    t, k = tolerance_bound(errors, 0.1, 0.05)
    assert k > 400
    assert t == np.sort(errors)[::-1][k]
