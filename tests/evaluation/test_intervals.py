"""Intervals over seeds and rows."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import ttest_1samp

from limbeck.certificates.binomial import interval
from limbeck.evaluation.intervals import gain_over, mean_over


def test_one_seed_of_right_and_wrong_gets_the_exact_interval() -> None:
    scores = np.array([[1.0, 1, 0, 1, 0, 1, 1, 1, 1, 1]])
    found = mean_over(scores, 0.05)
    assert (found.low, found.high) == interval(8, 10, 0.05)


def test_without_row_effects_it_is_at_least_the_t_interval_over_seeds() -> None:
    rng = np.random.default_rng(0)
    d = np.repeat(rng.normal(size=(5, 1)), 40, axis=1)
    expected = ttest_1samp(d[:, 0], 0).confidence_interval(0.95)
    found = mean_over(d, 0.05)
    assert found.low == pytest.approx(expected.low)
    assert found.high == pytest.approx(expected.high)


def test_equal_models_are_no_evidence() -> None:
    scores = np.random.default_rng(0).integers(0, 2, (3, 50)).astype(float)
    found = gain_over("accuracy", scores, scores, 0.05)
    assert found.verdict == "no evidence"
    assert found.value == found.low == found.high == 0


@pytest.mark.parametrize(
    ("seed_spread", "row_spread"), [(0.0, 0.3), (0.02, 0.3), (0.05, 0.0), (0.03, 0.1)]
)
def test_intervals_cover_over_seeds_and_rows(seed_spread: float, row_spread: float) -> None:
    rng, hits, runs, s, n = np.random.default_rng(1), 0, 800, 3, 200
    for _ in range(runs):
        d = (
            0.1
            + seed_spread * rng.normal(size=(s, 1))
            + row_spread * rng.normal(size=(1, n))
            + 0.2 * rng.normal(size=(s, n))
        )
        found = mean_over(d, 0.05)
        hits += found.low <= 0.1 <= found.high
    assert hits / runs > 0.95 - 3 * (0.05 * 0.95 / runs) ** 0.5


def test_one_seed_of_graded_scores_covers_over_rows() -> None:
    rng, hits, runs = np.random.default_rng(2), 0, 800
    for _ in range(runs):
        ours, theirs = rng.random((1, 100)), rng.random((1, 100)) - 0.1
        found = gain_over("share of tokens", ours, theirs, 0.1)
        hits += found.low <= 0.1 <= found.high
    assert abs(hits / runs - 0.9) < 3 * (0.09 / runs) ** 0.5


@pytest.mark.parametrize("seeds", [1, 2, 3, 5])
@pytest.mark.parametrize(("seed_spread", "own_rows"), [(0.0, 0.7), (0.05, 0.0), (0.3, 0.3)])
def test_models_that_are_alike_are_told_apart_at_most_at_delta(
    seeds: int, seed_spread: float, own_rows: float
) -> None:
    """Right or wrong on rows, some harder than others; each model has rows of its own liking.

    One seed speaks of two networks only, so that there seeds do not vary.
    """
    rng, wrong, runs, n, delta = np.random.default_rng(3), 0, 300, 150, 0.05
    spread = 0.0 if seeds == 1 else seed_spread
    for _ in range(runs):
        rows = 1.5 + 1.5 * rng.normal(size=n)  # of both

        def model(rows: NDArray[np.float64] = rows) -> NDArray[np.float64]:
            liked, seed = own_rows * rng.normal(size=n), spread * rng.normal(size=(seeds, 1))
            return (rows + liked + seed + 0.5 * rng.normal(size=(seeds, n)) > 0).astype(float)

        wrong += gain_over("accuracy", model(), model(), delta).verdict != "no evidence"
    assert wrong / runs <= delta + 3 * (delta * (1 - delta) / runs) ** 0.5


def test_no_interval_of_shares_leaves_what_shares_can_be() -> None:
    good, bad = np.ones((2, 50)), np.zeros((2, 50))
    bad[1, :40] = 1.0  # two seeds that differ: Student's t of one degree of freedom is wide
    gain, mean = gain_over("accuracy", good, bad, 0.05), mean_over(bad, 0.05)
    assert (gain.low, gain.high) == (-1.0, 1.0)
    assert (mean.low, mean.high) == (0.0, 1.0)
    graded = gain_over("score", 3.0 * good, 3.0 * bad, 0.05)
    assert graded.high > 3.0
