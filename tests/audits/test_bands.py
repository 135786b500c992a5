from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom, norm

from limbeck.audits.bands import Resampled, critical_value, pointwise_factor


@pytest.mark.parametrize(("bags", "p"), [(19, 12), (19, 150), (40, 12), (40, 150), (100, 60)])
def test_bands_cover_all_numbers_at_once_from_few_bags(bags: int, p: int) -> None:
    """Correlated estimates, bags that resample them: bands hold in 95% of 400 repetitions."""
    rng = np.random.default_rng(bags * p)
    mix = rng.normal(size=(p, p // 2)) / math.sqrt(p)
    covered = 0
    for _ in range(400):
        value = mix @ rng.normal(size=p // 2)  # the truth is 0
        drawn = value + rng.normal(size=(bags, p // 2)) @ mix.T
        found = Resampled(value, drawn)
        half = critical_value([found.worst], 0.95) * found.spread
        covered += bool((np.abs(value) <= half).all())
    assert covered >= binom.ppf(0.001, 400, 0.95)


def test_many_bags_give_the_normal_quantile_for_one_number() -> None:
    rng = np.random.default_rng(0)
    found = Resampled(np.zeros(1), rng.normal(0, 3.0, (20_000, 1)))
    assert found.spread[0] == pytest.approx(3.0, rel=0.02)
    assert critical_value([found.worst], 0.95) == pytest.approx(norm.ppf(0.975), rel=0.03)


def test_a_bag_is_measured_by_the_others() -> None:
    rng = np.random.default_rng(1)
    drawn = rng.normal(size=(7, 3))
    worst = Resampled(np.zeros(3), drawn, np.array([0.0, 0.0, 9.0])).worst
    for i in range(7):
        spread = np.maximum(np.delete(drawn, i, axis=0).std(axis=0, ddof=1), [0, 0, 9.0])
        assert worst[i] == pytest.approx((np.abs(drawn[i]) / spread).max())


def test_the_place_among_the_bags() -> None:
    worst = np.arange(1.0, 101.0)
    assert critical_value([worst], 0.95) == 96.0
    assert critical_value([worst[:19]], 0.95) == 19.0
    assert critical_value([worst, worst[::-1]], 0.9) == 96.0  # the larger of both, bag by bag
    assert critical_value([worst[:18]], 0.95) == math.inf  # too few for the level


def test_a_number_that_never_changes_widens_nothing() -> None:
    rng = np.random.default_rng(2)
    moving = rng.normal(size=(30, 1))
    still = np.full((30, 1), 0.1 + 0.2)
    both = Resampled(np.array([0.0, 0.3]), np.hstack([moving, still]))
    assert np.allclose(both.worst, Resampled(np.zeros(1), moving).worst)
    assert both.spread[1] < 1e-12


def test_single_bands_have_student_s_factor() -> None:
    assert pointwise_factor(0.95, 19) == pytest.approx(2.1009, abs=1e-4)  # t, 18 degrees
    assert pointwise_factor(0.95, 10**6) == pytest.approx(norm.ppf(0.975), abs=1e-4)
