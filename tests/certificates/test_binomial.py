from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from limbeck.certificates.binomial import interval, paired_interval, smallest_n, upper_bound
from limbeck.core.errors import InvalidInput

deltas = st.floats(1e-6, 0.5)


@pytest.mark.parametrize(("errors", "n"), [(0, 1), (0, 300), (4, 170), (50, 100), (99, 100)])
def test_upper_bound_is_scipys(errors: int, n: int) -> None:
    expected = binomtest(errors, n, alternative="less").proportion_ci(0.95).high
    assert upper_bound(errors, n, 0.05) == pytest.approx(expected, rel=1e-9)


def test_upper_bound_by_hand() -> None:
    assert upper_bound(0, 10, 0.05) == pytest.approx(1 - 0.05 ** (1 / 10))
    assert upper_bound(10, 10, 0.05) == 1.0


@given(st.integers(1, 400), st.data(), deltas)
def test_upper_bound_inverts_the_binomial(n: int, data: st.DataObject, delta: float) -> None:
    errors = data.draw(st.integers(0, n - 1))
    assert binom.cdf(errors, n, upper_bound(errors, n, delta)) == pytest.approx(delta, rel=1e-6)


@given(st.integers(2, 400), st.data())
def test_more_errors_or_less_doubt_raise_the_bound(n: int, data: st.DataObject) -> None:
    errors = data.draw(st.integers(0, n - 2))
    assert upper_bound(errors, n, 0.05) < upper_bound(errors + 1, n, 0.05)
    assert upper_bound(errors, n, 0.05) < upper_bound(errors, n, 0.01)
    assert upper_bound(errors, 2 * n, 0.05) < upper_bound(errors, n, 0.05)


@pytest.mark.parametrize(("errors", "n"), [(0, 20), (3, 20), (20, 20)])
def test_interval_is_scipys(errors: int, n: int) -> None:
    expected = binomtest(errors, n).proportion_ci(0.9)
    assert interval(errors, n, 0.1) == pytest.approx((expected.low, expected.high), rel=1e-9)


@given(st.floats(1e-5, 0.9), deltas)
def test_smallest_n_without_errors_has_a_closed_form(epsilon: float, delta: float) -> None:
    n = smallest_n(epsilon, delta)
    exact = math.log(delta) / math.log1p(-epsilon)
    assert n == max(1, math.ceil(exact)) or abs(exact - round(exact)) < 1e-6


@given(st.floats(0.005, 0.5), deltas, st.integers(0, 8))
def test_smallest_n_is_the_first_that_certifies(epsilon: float, delta: float, errors: int) -> None:
    n = smallest_n(epsilon, delta, errors)
    assert upper_bound(errors, n, delta) <= epsilon * (1 + 1e-9)
    assert n == errors + 1 or upper_bound(errors, n - 1, delta) > epsilon * (1 - 1e-9)


def test_smallest_n_known() -> None:
    assert smallest_n(0.01, 0.05) == 299
    assert smallest_n(0.05, 0.05) == 59
    assert smallest_n(0.05, 0.05, errors=1) == 93


def test_paired_interval_excludes_0_with_mcnemar() -> None:
    # the exact McNemar test of 8 against 0 has p = 2 / 2^8 = 0.0078
    low, high = paired_interval(8, 0, 1000, 0.05)
    assert 0 < low < 0.008 < high
    low, high = paired_interval(8, 5, 1000, 0.05)
    assert low < 0 < high


@given(st.integers(0, 40), st.integers(0, 40), st.integers(80, 500))
def test_paired_interval_is_antisymmetric_and_holds_the_estimate(a: int, b: int, n: int) -> None:
    low, high = paired_interval(a, b, n, 0.05)
    assert -1 <= low <= (a - b) / n <= high <= 1
    assert paired_interval(b, a, n, 0.05) == pytest.approx((-high, -low), abs=1e-9)


@pytest.mark.parametrize(("first", "second"), [(0.01, 0.0), (0.1, 0.1), (0.3, 0.2)])
@pytest.mark.parametrize("n", [20, 500])
def test_paired_interval_covers(first: float, second: float, n: int) -> None:
    rng = np.random.default_rng(0)
    runs = rng.multinomial(n, [first, second, 1 - first - second], size=2000)
    pairs, times = np.unique(runs[:, :2], axis=0, return_counts=True)
    missed = 0
    for (a, b), count in zip(pairs, times, strict=True):
        low, high = paired_interval(int(a), int(b), n, 0.1)
        missed += 0 if low <= first - second <= high else int(count)
    assert missed / 2000 <= 0.1 + 3 * math.sqrt(0.1 * 0.9 / 2000)


@pytest.mark.parametrize("rate", [0.0, 0.001, 0.01, 0.3])
@pytest.mark.parametrize("n", [20, 500, 20_000])
@pytest.mark.parametrize("delta", [0.1, 0.01])
def test_false_certificates_are_exactly_no_more_than_delta(
    rate: float, n: int, delta: float
) -> None:
    errors = np.arange(n + 1)
    likely = errors[binom.pmf(errors, n, rate) > 1e-12]
    false = [k for k in likely if upper_bound(int(k), n, delta) < rate]
    assert binom.pmf(false, n, rate).sum() <= delta + 1e-9


@pytest.mark.parametrize("delta", [0.0, 1.0, -0.1, math.nan, math.inf])
def test_impossible_levels_are_refused(delta: float) -> None:
    with pytest.raises(InvalidInput, match=r"delta.*0\.05"):
        upper_bound(0, 10, delta)


@pytest.mark.parametrize(("errors", "n"), [(-1, 10), (11, 10), (0, 0)])
def test_impossible_counts_are_refused(errors: int, n: int) -> None:
    with pytest.raises(InvalidInput, match="cannot be"):
        upper_bound(errors, n, 0.05)


def test_impossible_pairs_are_refused() -> None:
    with pytest.raises(InvalidInput, match="negative"):
        paired_interval(-1, 2, 10, 0.05)
    with pytest.raises(InvalidInput, match="cannot be"):
        paired_interval(8, 3, 10, 0.05)
    with pytest.raises(InvalidInput, match="errors is -1"):
        smallest_n(0.1, 0.1, -1)


def test_paired_interval_shares_its_level_between_rate_and_share() -> None:
    q, s = interval(13, 1000, 0.01), interval(8, 13, 0.04)
    corners = [rate * (2 * share - 1) for rate in q for share in s]
    assert paired_interval(8, 5, 1000, 0.05) == pytest.approx((min(corners), max(corners)))
    none = interval(0, 1000, 0.01)[1]
    assert paired_interval(0, 0, 1000, 0.05) == (-none, none)
