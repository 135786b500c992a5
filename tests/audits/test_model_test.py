from __future__ import annotations

import math
from copy import copy
from functools import cache

import numpy as np
import pytest

from limbeck.audits.model_test import _PENALTIES, CrossFit, cross_fit, model_test
from limbeck.core.errors import InvalidInput


def world(seed: int, n: int = 800) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 3))
    X[:, 2] = rng.integers(0, 5, n)
    return X, X[:, 0] + np.sin(X[:, 1]) + 0.5 * (X[:, 2] == 2), rng


def outcome(odds: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return (rng.random(len(odds)) < 1 / (1 + np.exp(-odds))).astype(float)


def fitted(seed: int, hidden: float, noise: float = 0.3) -> CrossFit:
    X, odds, rng = world(seed)
    odds = odds + hidden * rng.standard_normal(len(X))
    y = outcome(odds, rng)
    return cross_fit(X, odds + noise * rng.standard_normal(len(X)), y, categorical=[2], seed=seed)


@cache
def noisy() -> tuple[np.ndarray, np.ndarray, np.ndarray, CrossFit]:
    """Rows, outcome, a score with noise, and the fit of both."""
    X, odds, rng = world(5)
    y = outcome(odds, rng)
    score = odds + rng.standard_normal(len(odds))
    return X, y, score, cross_fit(X, score, y, seed=5)


def test_a_missing_feature_is_found() -> None:
    found = model_test(fitted(0, hidden=1.5), simulations=99)
    assert found.p_value == 2 / 100
    assert found.statistic > 4
    assert "more than misfit explains" in found.sentence


@pytest.mark.parametrize("runs", [1, pytest.param(16, marks=pytest.mark.slow)])
def test_its_level_on_a_smooth_truth(runs: int) -> None:
    p = [model_test(fitted(s, hidden=0), simulations=99).p_value for s in range(runs)]
    assert np.mean(np.array(p) <= 0.05) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)


def test_a_score_without_noise_is_nearly_all_misfit() -> None:
    clean, noisy = fitted(1, hidden=0, noise=0), fitted(1, hidden=0, noise=1)
    assert clean.explained > 0.97 > noisy.explained
    assert clean.misfit > 2 * noisy.misfit
    assert np.var(clean.score) >= 0.018  # topped up by noise


def test_rows_are_predicted_by_models_that_did_not_see_them() -> None:
    """An outcome without any signal is not explained, however many basis functions there are."""
    X, _, rng = world(3)
    y = (rng.random(len(X)) < 0.5).astype(float)
    fit = cross_fit(X, rng.standard_normal(len(X)), y)
    assert fit.explained < 0.02
    assert np.var(fit.outcome) > 0.24


def test_the_unit_of_the_score_does_not_matter() -> None:
    X, y, score, fit = noisy()
    scaled = cross_fit(X, 1000 * score - 7, y, seed=5)
    a, b = (model_test(one, simulations=19) for one in (fit, scaled))
    assert a.statistic == pytest.approx(b.statistic)
    assert a.p_value == b.p_value


def test_missing_values_constant_columns_and_many_levels() -> None:
    X, odds, rng = world(5)
    many = rng.integers(0, 300, len(X)).astype(float)
    X = np.column_stack([X, np.ones(len(X)), np.full(len(X), math.nan), many])
    X[::7, 0] = math.nan
    fit = cross_fit(X, odds, outcome(odds, rng), categorical=[2, 5])
    assert np.isfinite(fit.score).all()
    assert np.isfinite(model_test(fit, simulations=19).p_value)


def test_what_cannot_be_tested_is_refused() -> None:
    X, odds, rng = world(0)
    y = outcome(odds, rng)
    with pytest.raises(InvalidInput, match="at least 200 rows"):
        cross_fit(X[:50], odds[:50], y[:50])
    with pytest.raises(InvalidInput, match="same score, 1"):
        cross_fit(X, np.ones(len(X)), y)
    with pytest.raises(InvalidInput, match="same outcome, 0"):
        cross_fit(X, odds, np.zeros(len(X)))


def test_the_penalty_of_the_outcome_is_the_best_of_all_by_its_out_of_fold_error() -> None:
    _, y, _, fit = noisy()
    sides = copy(fit._sides)
    chosen, errors = sides.penalty, []
    for sides.penalty in _PENALTIES:
        errors.append(float(((y - sides.outcome_fit(y[:, None])[:, 0]) ** 2).sum()))
    assert chosen == _PENALTIES[int(np.argmin(errors))]
    assert len(set(errors)) == len(_PENALTIES)
