from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import check_grad

from limbeck.samplers.subsets.inducing_points import (
    condensed,
    kernel_loss,
    rbf,
    ridge_weights,
)


def test_the_regression_is_that_of_scikit_learn():
    from sklearn.kernel_ridge import KernelRidge

    rng = np.random.default_rng(0)
    X, y, fresh = rng.normal(size=(20, 3)), rng.normal(size=(20, 2)), rng.normal(size=(7, 3))
    own = rbf(fresh, X, 0.4) @ ridge_weights(X, y, 0.4, 0.01)
    peer = KernelRidge(alpha=0.01, kernel="rbf", gamma=0.4).fit(X, y).predict(fresh)
    np.testing.assert_allclose(own, peer, atol=1e-9)
    found = kernel_loss(X, y, fresh, np.zeros((7, 2)), 0.4, 0.01)[0]
    assert found == pytest.approx(0.5 * np.square(peer).sum() / 7)


@pytest.mark.parametrize("what", ["points", "targets"])
def test_gradients_are_those_of_finite_differences(what):
    rng = np.random.default_rng(1)
    S, u = rng.normal(size=(5, 3)), rng.normal(size=(5, 2))
    X, y = rng.normal(size=(9, 3)), rng.normal(size=(9, 2))

    def parts(flat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return (flat.reshape(5, 3), u) if what == "points" else (S, flat.reshape(5, 2))

    def loss(flat: np.ndarray) -> float:
        return kernel_loss(*parts(flat), X, y, 0.3, 0.05)[0]

    def slope(flat: np.ndarray) -> np.ndarray:
        return kernel_loss(*parts(flat), X, y, 0.3, 0.05)[1 if what == "points" else 2].ravel()

    at = (S if what == "points" else u).ravel()
    assert check_grad(loss, slope, at) < 1e-6


def test_moved_points_fit_better_than_the_rows_they_were():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(600, 2))
    y = np.column_stack([np.sin(2 * X[:, 0]), X[:, 0] * X[:, 1]])
    start = rng.choice(600, 12, replace=False)
    before = kernel_loss(X[start], y[start], X, y, 0.5, 1e-3)[0]
    found = condensed(X, y, start, 0.5, rng, steps=300, batch=200, rate=0.1)
    after = kernel_loss(found.points, found.targets, X, y, 0.5, 1e-3)[0]
    assert after < before / 4
