from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from limbeck.audits.matched_pairs import (
    identical_groups,
    informative_rows,
    matched_pairs_test,
    near_pairs,
    squares_at_zero,
)
from limbeck.core.errors import InvalidInput

DATA = Path(__file__).parents[2] / "../shared/data/tabular/compas_two_years.parquet"


def discrete(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 4, (n, 3)).astype(float)
    return X, 1 / (1 + np.exp(1.5 - X[:, 0])), rng


def test_groups_are_equal_rows_and_missing_equals_missing() -> None:
    X = np.array(
        [[1.0, math.nan], [1.0, 2.0], [1.0, math.nan], [0.0, 2.0], [1.0, 2.0], [-0.0, 2.0]]
    )
    groups = identical_groups(X)
    same = groups[:, None] == groups
    expected = {(0, 2), (1, 4), (3, 5)}
    assert {(i, j) for i, j in itertools.combinations(range(6), 2) if same[i, j]} == expected
    assert informative_rows(groups, np.array([0, 1, 1, 0, 1, 0])).tolist() == [
        True, False, True, False, False, False,
    ]  # fmt: skip


def test_the_p_value_is_that_of_all_permutations() -> None:
    """Groups of 2 rows: every swap is enumerated, for copies of a small problem."""
    X = np.repeat(np.arange(60.0), 2)[:, None]
    outcome = np.tile([0.0, 1.0], 60)
    score = np.tile([1.0, 2.0, 2.0, 1.0], 30)
    score[:16] = np.tile([1.0, 2.0], 8)  # 8 groups for, then 26 each way
    found = matched_pairs_test(X, score, outcome, permutations=4000)
    up = int((score.reshape(-1, 2)[:, 1] == 2).sum())
    tail = sum(math.comb(60, k) for k in range(61) if abs(2 * k - 60) >= 2 * up - 60) / 2**60
    assert found.p_value == pytest.approx(tail, abs=4 * math.sqrt(tail / 4000))
    assert (found.kind, found.rows, found.groups) == ("exact", 120, 60)
    assert found.spread == pytest.approx(math.sqrt(0.5))


def test_noise_is_not_accused_and_a_missing_feature_is() -> None:
    X, p, rng = discrete(1500, 0)
    hidden = rng.standard_normal(1500)
    y = (rng.random(1500) < 1 / (1 + np.exp(-np.log(p / (1 - p)) - hidden))).astype(float)
    assert matched_pairs_test(X, p + 0.1 * rng.standard_normal(1500), y).p_value > 0.01
    guilty = matched_pairs_test(X, p + 0.1 * hidden, y)
    assert guilty.p_value == 1 / 2001
    assert "higher scores go with more outcomes" in guilty.sentence
    assert guilty.sign == 1
    assert matched_pairs_test(X, p - 0.1 * hidden, y).sign == -1


@pytest.mark.parametrize("runs", [30, pytest.param(100, marks=pytest.mark.slow)])
def test_its_level(runs: int) -> None:
    p_values = []
    for seed in range(runs):
        X, p, rng = discrete(300, seed)
        y = (rng.random(300) < p).astype(float)
        p_values.append(matched_pairs_test(X, p + rng.standard_normal(300), y, seed=seed).p_value)
    assert np.mean(np.array(p_values) <= 0.05) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)
    assert 0.35 < np.mean(p_values) < 0.65


def test_equal_scores_of_identical_cases() -> None:
    X, p, rng = discrete(500, 1)
    found = matched_pairs_test(X, p, (rng.random(500) < p).astype(float))
    assert (found.spread, found.p_value) == (0.0, 1.0)
    assert "Their scores agree as well" in found.sentence


def test_scores_alone_tell_the_spread_only() -> None:
    X, p, rng = discrete(500, 1)
    found = matched_pairs_test(X, p + rng.standard_normal(500), None)
    assert (found.kind, found.permutations) == ("exact", 0)
    assert math.isnan(found.p_value)
    assert "or is noisy" in found.sentence
    none = matched_pairs_test(rng.standard_normal((50, 2)), rng.standard_normal(50), None)
    assert (none.kind, none.rows) == ("none", 0)


def numbers(seed: int) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.standard_normal(1500), rng.integers(0, 2, 1500)])
    return X, 1.5 * X[:, 0] - X[:, 1], rng


def test_near_identical_cases_find_a_missing_feature() -> None:
    X, odds, rng = numbers(0)
    hidden = rng.standard_normal(1500)
    p = 1 / (1 + np.exp(-odds))
    y = (rng.random(1500) < 1 / (1 + np.exp(-odds - hidden))).astype(float)
    found = matched_pairs_test(X, odds + hidden, y, score_fit=odds, outcome_fit=p)
    assert found.kind == "near"
    assert found.p_value <= 0.01
    assert "approximate" in found.sentence
    assert matched_pairs_test(X, odds + hidden, y).kind == "none"


def test_near_identical_cases_forgive_models_that_miss_everything() -> None:
    """Fits that know nothing of a score without noise: its differences vanish at distance 0."""
    for seed in range(5):
        X, odds, rng = numbers(seed)
        p = 1 / (1 + np.exp(-odds))
        y = (rng.random(1500) < p).astype(float)
        blind = np.full(1500, y.mean())
        rough = 0.5 * odds  # half of the score's structure is missed, and all but a little of y's
        found = matched_pairs_test(X, odds, y, score_fit=rough, outcome_fit=0.5 * p + 0.5 * blind)
        assert found.kind == "near"
        assert found.p_value > 0.01


def test_near_pairs_agree_in_codes_and_lie_within_the_caliper() -> None:
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.random(400), rng.integers(0, 30, 400) % 3, rng.integers(0, 20, 400)])
    X[:20, 0] = math.nan
    pairs, distance = near_pairs(X, [2], 0.1)
    assert len(np.unique(pairs)) == 2 * len(pairs) > 40
    assert (X[pairs[:, 0], 1:] == X[pairs[:, 1], 1:]).all()
    assert (np.isnan(X[pairs[:, 0], 0]) == np.isnan(X[pairs[:, 1], 0])).all()
    assert (distance <= 1).all()


def test_squares_at_zero_lie_below_the_truth() -> None:
    rng = np.random.default_rng(0)
    distance = rng.random(2000)
    squares = (1 + distance) * rng.standard_normal(2000) ** 2
    assert 0.7 < squares_at_zero(squares, distance) < 1.05
    assert squares_at_zero(distance, distance) == pytest.approx(0, abs=1e-9)


def test_too_few_permutations_are_refused() -> None:
    with pytest.raises(InvalidInput, match="2,000 or more"):
        matched_pairs_test(
            np.ones((4, 1)), np.arange(4.0), np.array([0.0, 1, 0, 1]), permutations=100
        )


@pytest.mark.data
@pytest.mark.parametrize(
    ("extra", "rows", "groups", "spread", "p"),
    [([], 4093, 1055, 2.10, 0.001), (["length_of_stay_days"], 2020, 683, 1.90, 0.03)],
)
def test_compas_as_measured(
    extra: list[str], rows: int, groups: int, spread: float, p: float
) -> None:
    if not DATA.exists():
        pytest.skip("the shared data are not there")
    frame = pd.read_parquet(DATA)
    frame = frame[frame["in_propublica_sample"].astype(bool)]
    names = ["sex", "age", "race", "juv_fel_count", "juv_misd_count", "juv_other_count"]
    names += ["priors_count", "c_charge_degree", *extra]
    X = np.column_stack([pd.factorize(frame[n])[0].astype(float) for n in names])
    score, y = (frame[n].to_numpy(float) for n in ("decile_score", "two_year_recid"))
    found = matched_pairs_test(X, score, y)
    assert (found.rows, found.groups) == (rows, groups)
    assert found.spread == pytest.approx(spread, abs=0.005)
    assert found.spread_all == pytest.approx(2.84, abs=0.005)
    assert found.p_value <= p
