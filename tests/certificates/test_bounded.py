from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from limbeck.certificates import bounded
from limbeck.certificates.binomial import upper_bound
from limbeck.certificates.bounded import (
    betting_bound,
    betting_bounds,
    betting_exceeds,
    empirical_bernstein,
)
from limbeck.core.errors import InvalidInput

losses = arrays(np.float64, st.integers(2, 60), elements=st.floats(0, 1))


def test_empirical_bernstein_by_hand() -> None:
    x = np.array([0.0, 1.0] * 500)
    level = math.log(2 / 0.05)
    variance = 0.25 * 1000 / 999
    expected = 0.5 + math.sqrt(2 * variance * level / 1000) + 7 * level / (3 * 999)
    assert empirical_bernstein(x, 0.05) == pytest.approx(expected)


def test_betting_bound_of_one_loss_by_hand() -> None:
    # one bet: the variance before it is 1/4, so it is cut at 0.75 / (1 - m); the capital after
    # the loss x is 1 + 0.75 (m - x) / (1 - m), at most 1.75 at m - x = 1 - m
    assert betting_bound(np.array([0.0]), 0.5) == pytest.approx(4 / 7, abs=1e-9)


@given(losses, st.floats(0.001, 0.5))
def test_bounds_lie_between_mean_and_1(x: np.ndarray, delta: float) -> None:
    for bound in (betting_bound, empirical_bernstein):
        assert x.mean() - 1e-9 <= bound(x, delta) <= 1


@given(losses)
def test_less_doubt_costs_more(x: np.ndarray) -> None:
    assert empirical_bernstein(x, 0.01) >= empirical_bernstein(x, 0.1)


@given(losses, st.floats(-5, 5), st.floats(0.1, 10))
def test_bounds_move_with_the_range(x: np.ndarray, low: float, width: float) -> None:
    moved = np.clip(low + width * x, low, low + width)
    for bound in (betting_bound, empirical_bernstein):
        expected = low + width * bound(x, 0.05)
        assert bound(moved, 0.05, low, low + width) == pytest.approx(expected, abs=1e-6)


def test_betting_is_near_the_exact_bound_for_counts() -> None:
    x = np.random.default_rng(0).permutation(np.repeat([0.0, 1.0], [900, 100]))
    assert upper_bound(100, 1000, 0.05) < betting_bound(x, 0.05) < 0.13


def test_betting_is_tighter_than_bernstein_for_quiet_losses() -> None:
    x = np.random.default_rng(0).uniform(0.4, 0.5, size=500)
    assert betting_bound(x, 0.05) < empirical_bernstein(x, 0.05) < 0.49


def test_exceeds_is_the_bound_compared() -> None:
    x = np.random.default_rng(0).random((40, 30)) ** 2
    bounds = betting_bounds(x, 0.1)
    for mean in (0.3, 0.4, 0.5):
        assert (betting_exceeds(x, mean, 0.1) == (bounds < mean)).all()


@pytest.mark.parametrize("rate", [0.0, 0.001, 0.01, 0.3])
@pytest.mark.parametrize("n", [20, 500])
def test_false_certificates(rate: float, n: int) -> None:
    rng = np.random.default_rng(1)
    hit = rng.random((2000, n))
    for x in ((hit < rate).astype(float), np.where(hit < 2 * rate, rng.random((2000, n)), 0.0)):
        for delta in (0.1, 0.01):
            most = delta + 3 * math.sqrt(delta * (1 - delta) / 2000)
            assert betting_exceeds(x, rate, delta).mean() <= most
            low = [empirical_bernstein(row, delta) < rate for row in x[:200]]
            assert np.mean(low) <= delta + 3 * math.sqrt(delta * (1 - delta) / 200)


@pytest.mark.parametrize("bound", [betting_bound, empirical_bernstein])
def test_losses_outside_the_range_are_refused(bound: object) -> None:
    for bad in (1.5, -0.1, math.nan):
        with pytest.raises(InvalidInput, match=r"row 1 is .*outside the range"):
            bound(np.array([0.5, bad, 0.2]), 0.05)  # type: ignore[operator]
    with pytest.raises(InvalidInput, match="range is"):
        bound(np.array([0.5, 0.5]), 0.05, 1.0, 0.0)  # type: ignore[operator]
    with pytest.raises(InvalidInput, match="shape"):
        bound(np.array([]), 0.05)  # type: ignore[operator]


def test_bernstein_needs_two() -> None:
    with pytest.raises(InvalidInput, match="at least 2"):
        empirical_bernstein(np.array([0.5]), 0.05)


def test_bets_by_hand() -> None:
    """Variances of what came before, with half a loss of a half as a start: .25, then .156."""
    bets = bounded._predictable_bets(np.array([[0.0, 1.0, 1.0]]), 0.05)
    means = [0.5 / 2, 1.5 / 3]
    second = (0.25 + means[0] ** 2) / 2
    third = (0.25 + means[0] ** 2 + (1 - means[1]) ** 2) / 3
    expected = [math.sqrt(2 * math.log(20) / (3 * v)) for v in (0.25, second, third)]
    assert bets[0].tolist() == pytest.approx(expected)
