from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Lasso

from limbeck.students.linear.fitting import _lbfgs, _proximal, _standard, dense, l1_supports

RNG = np.random.default_rng(0)
X = RNG.standard_normal((200, 6)) + RNG.standard_normal((200, 1))
WEIGHT = RNG.random(200) + 0.5


@pytest.mark.parametrize("k", [2, 3])
def test_both_solvers_find_the_same_minimum(k) -> None:
    p = np.exp(X[:, :k])
    p /= p.sum(axis=1, keepdims=True)
    newton, slow = dense(X, p, WEIGHT, True), _lbfgs(X, p, WEIGHT)
    difference = (X @ newton[0] + newton[1]) - (X @ slow[0] + slow[1])
    spread = difference - difference.mean(axis=1, keepdims=True) if k > 2 else difference
    assert np.abs(spread).max() < 0.02


def test_a_penalty_gives_the_weights_of_scikit_learns_lasso() -> None:
    x, _, _ = _standard(X, np.ones(200))
    y = x @ [2, 0, 0, -1, 0, 0] + 0.1 * RNG.standard_normal(200)
    y = y - y.mean()
    peer = Lasso(alpha=0.3, tol=1e-10).fit(x, y)
    beta = np.zeros((7, 1))
    share = np.full(200, 1 / 200)
    bound = float(np.linalg.eigvalsh(x.T @ x / 200)[-1]) * 1.05
    for _ in range(20):
        beta = _proximal(x, y[:, None], share, False, beta, 0.3, bound)
    assert beta[1:, 0] == pytest.approx(peer.coef_, abs=1e-3)
    assert (beta[1:, 0] != 0).tolist() == (peer.coef_ != 0).tolist()


def test_supports_fit_their_budgets_and_grow() -> None:
    p = np.exp(X[:, :3])
    p /= p.sum(axis=1, keepdims=True)
    budgets = (1, 4, 8, 20)
    supports = l1_supports(X, p, WEIGHT, True, budgets)
    sizes = [int(s.sum()) for s in supports]
    assert sizes == sorted(sizes)
    for s, budget in zip(supports, budgets, strict=True):
        assert s.sum() + max(1, s.any(axis=0).sum()) <= budget
    assert (supports[-1] == np.eye(6, 3, dtype=bool)).all()  # what the answers are made of


def test_a_budget_too_small_for_all_that_enter_at_once_holds_the_largest() -> None:
    rng = np.random.default_rng(3)
    common = rng.normal(size=400)
    X = common[:, None] + 1e-3 * rng.normal(size=(400, 6))  # enter together, at one penalty
    p = 1 / (1 + np.exp(-3 * common[:, None]))
    soft = np.hstack([1 - p, p])
    supports = l1_supports(X, soft, np.ones(400), True, [1, 2, 3, 40])
    assert [int(s.sum()) for s in supports[:3]] == [0, 1, 2]
    three = np.hstack([p / 2, p / 2, 1 - p])  # an intercept for each class that has a weight
    supports = l1_supports(X, three, np.ones(400), True, [2, 3, 4])
    for s, budget in zip(supports, (2, 3, 4), strict=True):
        assert 0 < s.sum() + s.any(axis=0).sum() <= budget
