"""Each number of rows against the probability that it speaks of, computed in another way."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from limbeck.certificates.sample_sizes import (
    choose_by_growth,
    choose_of,
    choose_of_vc,
    consistent_by_growth,
    consistent_of,
    to_check,
    to_learn_at_least,
)

rates = st.floats(0.001, 0.4)


@given(rates, rates, rates)
def test_seeing_no_disagreement_while_the_error_is_larger_is_improbable(
    epsilon: float, delta: float, more: float
) -> None:
    n = to_check(epsilon, delta)[0]
    assert binom.pmf(0, n, epsilon) <= delta * (1 + 1e-9)
    assert binom.pmf(0, n, min(epsilon + more, 1.0)) <= delta * (1 + 1e-9)


def test_what_is_at_most_delta_is_both_at_once() -> None:
    """P(no disagreement and err > ln(1/delta)/n) <= delta; given no disagreement it can be 1."""
    n, delta = 300, 0.05
    limit = math.log(1 / delta) / n
    for rate in np.linspace(limit, 1, 200)[1:]:
        assert binom.pmf(0, n, rate) <= delta
    prior = np.array([0.0, 1.0])  # all students that are looked at have err = 2 limit
    seen = binom.pmf(0, n, np.array([0.0, 2 * limit])) * prior
    assert seen[1] / seen.sum() == 1.0


@given(rates, rates, st.integers(1, 400))
def test_consistent_members_of_a_finite_class(epsilon: float, delta: float, bits: int) -> None:
    n = consistent_of(bits, epsilon, delta)[0]
    assert bits * math.log(2) + n * math.log1p(-epsilon) <= math.log(delta) + 1e-9


def overtakes(n: int, p: float, q: float) -> float:
    """P(X <= Y), X and Y of n rows where only one, or only the other, is wrong (rates p, q)."""
    k = np.arange(n + 1)
    both = binom.pmf(k, n, p + q)  # rows that tell the two apart
    return float(both @ binom.cdf(k // 2, k, p / (p + q)))


@pytest.mark.parametrize(
    ("epsilon", "delta", "K"), [(0.1, 0.05, 2), (0.2, 0.01, 30), (0.05, 0.2, 5)]
)
def test_the_best_of_a_finite_class_is_overtaken_with_probability_below_delta(
    epsilon: float, delta: float, K: int
) -> None:
    """The two members differ as often as they can; K - 1 of them, by the union bound."""
    n = choose_of(math.log2(K), epsilon, delta)[0]
    p, q = 0.5 + epsilon / 2, 0.5 - epsilon / 2
    assert (K - 1) * overtakes(n, p, q) <= delta
    assert (K - 1) * overtakes(n // 3, p, q) > delta / 10  # and it is no idle number


@pytest.mark.parametrize("tau", [0.0, 0.01, 0.05, 0.2])
@pytest.mark.parametrize(("epsilon", "delta", "K"), [(0.1, 0.05, 2), (0.05, 0.01, 50)])
def test_a_small_disagreement_needs_fewer_rows(
    tau: float, epsilon: float, delta: float, K: int
) -> None:
    n = choose_of(math.log2(K), epsilon, delta, tau)[0]
    assert n <= choose_of(math.log2(K), epsilon, delta)[0]
    # the best is wrong at rate tau, the other elsewhere and epsilon more often
    assert (K - 1) * overtakes(n, tau + epsilon, tau) <= delta


def test_bernstein_by_hand() -> None:
    log = math.log((2**20 - 1) / 0.05)
    assert choose_of(20, 0.01, 0.05, 0.02)[0] == math.ceil((4 * 0.02 / 1e-4 + 10 / 0.03) * log)
    assert choose_of(20, 0.01, 0.05, 0.9) == choose_of(20, 0.01, 0.05)


def test_one_member_needs_no_rows() -> None:
    assert choose_of(0.0, 0.01, 0.05)[0] == choose_of_vc(0, 0.01, 0.05)[0] == 0
    assert choose_of(1.0, 0.1, 0.05)[0] == math.ceil(200 * math.log(20))


def test_growth_rows_satisfy_their_inequalities_and_are_the_fewest() -> None:
    """Intervals of the line: 1 + m (m + 1) / 2 patterns."""

    def patterns(m: int) -> float:
        return math.log2(1 + m * (m + 1) / 2)

    n = consistent_by_growth(patterns, 0.1, 0.05)[0]
    tails = [2 * 2 ** patterns(2 * m) * 2 ** (-0.1 * m / 2) for m in (n, n - 1)]
    assert tails[0] <= 0.05 < tails[1]
    n = choose_by_growth(patterns, 0.1, 0.05)[0]
    sides = [
        math.sqrt(2 * math.log(2) * patterns(m) / m) + math.sqrt(2 * math.log(20) / m)
        for m in (n, n - 1)
    ]  # the mean of the largest deviation, and how far it is exceeded
    assert sides[0] <= 0.1 < sides[1]
    assert choose_of_vc(2, 0.1, 0.05)[0] == n  # VC dimension 2, and Sauer's bound is filled


def test_consistent_intervals_are_within_epsilon() -> None:
    """Simulated: the teacher is empty, and the worst consistent interval is the longest gap."""
    epsilon = delta = 0.2
    n = consistent_by_growth(lambda m: math.log2(1 + m * (m + 1) / 2), epsilon, delta)[0]
    rows = np.sort(np.random.default_rng(0).random((2000, n)), axis=1)
    ends = np.broadcast_to([[0.0], [1.0]], (2, 2000))
    gaps = np.diff(np.column_stack([ends[0], rows, ends[1]]), axis=1).max(axis=1)
    assert np.mean(gaps > epsilon) <= delta


def test_the_largest_deviation_of_intervals_is_within_its_bound() -> None:
    """Simulated for labels by coin tosses: err of an interval minus that of the best one."""
    rng = np.random.default_rng(0)
    n, m = 400, 60
    worst = []
    for _ in range(200):
        place = rng.integers(0, m, n)
        excess = np.bincount(place, rng.choice([-1.0, 1.0], n), m) / n  # no interval is better
        total = np.concatenate([[0.0], np.cumsum(excess)])
        worst.append(max(0.0, float((np.maximum.accumulate(total) - total).max())))
    bound = math.sqrt(2 * math.log(1 + m * (m + 1) / 2) / n)
    assert bound / 5 < np.mean(worst) <= bound
    assert np.mean(np.array(worst) > bound + math.sqrt(2 * math.log(20) / n)) <= 0.05


def failure(vc: int, epsilon: float, m: int) -> float:
    """How often the best learner is off by more than epsilon: mean over all targets, exact.

    One point of mass 1 - 8 epsilon, vc - 1 light ones, targets uniform on the light ones. A
    learner can but guess on the light points that it has not seen.
    """
    light = vc - 1
    weight = 8 * epsilon / light
    unseen = np.zeros(light + 1)
    unseen[light] = 1.0
    for _ in range(m):  # one more row: heavy or seen before, or a new light point
        u = np.arange(light + 1)
        new = u * weight
        unseen = unseen * (1 - new) + np.append((unseen * new)[1:], 0.0)
    most = math.floor(epsilon / weight + 1e-9)  # wrong guesses that are within epsilon
    return float(sum(p * binom.sf(most, u, 0.5) for u, p in enumerate(unseen)))


@pytest.mark.parametrize(("vc", "epsilon"), [(9, 0.125), (33, 0.05), (65, 0.01), (129, 0.1)])
def test_below_the_lower_bound_every_learner_fails(vc: int, epsilon: float) -> None:
    m = math.floor((vc - 1) / (32 * epsilon))
    assert failure(vc, epsilon, m) >= 1 / 14
    n = to_learn_at_least(vc, epsilon, 0.07)[0]
    assert n >= m


@given(st.floats(0.001, 0.5), st.floats(0.001, 0.5))
def test_a_light_point_that_is_not_seen(epsilon: float, delta: float) -> None:
    """One point of mass just over epsilon decides; a learner without luck misses it."""
    n = to_learn_at_least(2, epsilon, delta)[0]
    assert binom.pmf(0, max(n - 1, 0), epsilon) >= delta * (1 - 1e-9)


def test_lower_bounds_stay_within_their_conditions() -> None:
    with_vc = to_learn_at_least(10_000, 0.01, 0.05)
    assert with_vc[0] == math.ceil(9_999 / 0.32)
    for epsilon, delta in ((0.2, 0.05), (0.01, 0.1)):
        n, formula, _ = to_learn_at_least(10_000, epsilon, delta)
        assert n == math.ceil((1 - epsilon) * math.log(1 / delta) / epsilon)
        assert "VC" not in formula
    assert to_learn_at_least(1, 0.01, 0.05)[0] == 0  # two constants are told apart by one row


def test_every_deterministic_learner_of_two_points_fails_before_the_bound() -> None:
    """All 2^4 answers on the light point that a learner could give, by what it has seen."""
    epsilon, delta = 0.1, 0.05
    n = to_learn_at_least(2, epsilon, delta)[0] - 1
    for answer in itertools.product([0, 1], repeat=2):  # by whether the light point was seen
        wrong = [
            sum(p for seen, p in enumerate(chances) if answer[seen] != target and not seen)
            for target in (0, 1)
            for chances in [(binom.pmf(0, n, epsilon), 1 - binom.pmf(0, n, epsilon))]
        ]
        assert max(wrong) >= delta


def test_never_fewer_rows_than_the_theorems_ask_for() -> None:
    """Blumer et al. (1989) need n >= 8 / epsilon, however poor the class; one row may be enough."""
    assert consistent_by_growth(lambda m: 0.0, 0.1, 0.5)[0] == 80
    assert choose_by_growth(lambda m: 0.0, 0.9, 0.9)[0] == 1
