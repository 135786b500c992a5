from __future__ import annotations

import numpy as np
import pytest

from limbeck.audits.memorised import HONEST_SHARE, memorised


def residuals(n: int = 1000) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, 2))
    return X, rng.binomial(1, 0.5, n) - 0.5, rng


def test_a_score_that_is_the_outcome_is_flagged() -> None:
    X, o, rng = residuals()
    found = memorised(X, o + 0.2 * rng.standard_normal(len(o)), o)
    assert found.flagged
    assert found.share == pytest.approx(0.25 / 0.29, abs=0.02)
    assert "fitted on these very rows" in found.sentence


def test_noise_and_a_strong_missing_feature_are_not() -> None:
    X, _, rng = residuals()
    hidden = 2 * rng.standard_normal(len(X))
    p = 1 / (1 + np.exp(-hidden))
    o = (rng.random(len(X)) < p) - 0.5
    for score in (hidden, p - 0.5, rng.standard_normal(len(X))):
        found = memorised(X, score, o)
        assert not found.flagged
        assert found.share < HONEST_SHARE


def test_an_average_over_identical_cases_is_flagged_too() -> None:
    rng = np.random.default_rng(1)
    X = np.repeat(np.arange(300.0), 4)[:, None]
    o = rng.binomial(1, 0.5, 1200) - 0.5
    means = np.repeat(o.reshape(-1, 4).mean(axis=1), 4)
    assert memorised(X, means, o).flagged
    assert np.corrcoef(means, o)[0, 1] ** 2 < HONEST_SHARE  # row by row it would be missed


def test_a_score_without_residual_is_not() -> None:
    X, o, _ = residuals()
    assert memorised(X, np.zeros(len(o)), o).p_value == 1
