from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn.linear_model import LogisticRegression, Ridge

from limbeck.students.sparse_sum.refit import refit

RNG = np.random.default_rng(0)
X = RNG.standard_normal((400, 3)) * [1, 5, 0.1] + [0, 20, 3]
WEIGHT = RNG.random(400) + 0.5


def everywhere(t: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    return np.ones((t, k), dtype=bool), np.ones(k, dtype=bool)


def test_soft_answers_of_a_logistic_model_give_its_weights_back() -> None:
    p = expit(X @ [1.0, -0.3, 4.0] - 6.0)
    soft = np.column_stack([1 - p, p])
    weights, level = refit(X, *everywhere(3, 1), soft, WEIGHT, True, ridge=1e-9)
    assert weights[:, 0] == pytest.approx([1.0, -0.3, 4.0], rel=1e-3)
    assert level[0] == pytest.approx(-6.0, rel=1e-3)


def test_hard_answers_are_fitted_as_scikit_learn_does() -> None:
    Z = X - np.average(X, axis=0, weights=WEIGHT)
    Z /= np.sqrt(np.average(Z**2, axis=0, weights=WEIGHT))
    y = (Z @ [1, 1, -1] + RNG.logistic(size=400) > 0).astype(int)
    share = WEIGHT * (400 / WEIGHT.sum())
    peer = LogisticRegression(C=1.0, tol=1e-10, max_iter=1000).fit(Z, y, share)
    weights, level = refit(Z, *everywhere(3, 1), np.eye(2)[y], WEIGHT, True, ridge=1.0)
    assert weights[:, 0] == pytest.approx(peer.coef_[0], abs=1e-4)
    assert level[0] == pytest.approx(peer.intercept_[0], abs=1e-3)
    y3 = np.digitize(Z @ [1, 1, -1], [-1, 1])
    peer = LogisticRegression(C=1.0, tol=1e-10, max_iter=1000).fit(Z, y3, share)
    weights, level = refit(Z, *everywhere(3, 3), np.eye(3)[y3], WEIGHT, True, ridge=1.0)
    told = softmax(Z @ weights + level, axis=1)
    assert told == pytest.approx(peer.predict_proba(Z), abs=1e-3)
    values = Z @ [1, 2, 3] + RNG.standard_normal(400)
    ridge = Ridge(alpha=1.0).fit(Z, values, share)
    weights, level = refit(Z, *everywhere(3, 1), values[:, None], WEIGHT, False, ridge=1.0)
    assert weights[:, 0] == pytest.approx(ridge.coef_)
    assert level[0] == pytest.approx(ridge.intercept_)


def test_weights_that_are_not_used_stay_at_zero_and_the_rest_is_optimal() -> None:
    p = softmax(X @ RNG.standard_normal((3, 3)) / 5, axis=1)
    used = np.array([[1, 0, 0], [0, 1, 0], [0, 1, 0]], dtype=bool)
    weights, level = refit(X, used, used.any(axis=0), p, WEIGHT, True, ridge=1e-6)
    assert (weights[~used] == 0).all()
    assert level[2] == 0

    def loss(weights, level):
        return -np.average((p * np.log(softmax(X @ weights + level, axis=1))).sum(axis=1),
                           weights=WEIGHT)  # fmt: skip

    best = loss(weights, level)
    for _ in range(20):
        other = weights + used * RNG.standard_normal((3, 3)) * 0.01
        assert loss(other, level) > best - 1e-9


@pytest.mark.parametrize("k", [2, 3])
def test_answers_that_are_always_the_same_or_parted_do_not_run_away(k) -> None:
    soft = np.zeros((400, k))
    soft[:, 0] = 1.0
    outputs = 1 if k == 2 else k
    weights, level = refit(X, *everywhere(3, outputs), soft, WEIGHT, True)
    assert np.isfinite(weights).all()
    assert np.isfinite(level).all()
    soft = np.eye(k)[(X[:, 0] > 0).astype(int)]
    weights, level = refit(X, *everywhere(3, outputs), soft, WEIGHT, True)
    assert np.isfinite(weights).all()
    assert np.isfinite(level).all()


def test_no_terms_is_the_log_odds_of_the_mean() -> None:
    soft = np.tile([0.2, 0.8], (50, 1))
    _, level = refit(np.empty((50, 0)), *everywhere(0, 1), soft, np.ones(50), True)
    assert level[0] == pytest.approx(np.log(4), rel=1e-4)
