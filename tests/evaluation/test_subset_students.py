from __future__ import annotations

import numpy as np
from sklearn.kernel_ridge import KernelRidge

from limbeck.evaluation.subset_students import (
    RIDGE,
    kernel_student,
    kernel_width,
    linear_student,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))


def test_the_width_is_one_over_the_median_squared_distance() -> None:
    pairs = [((a - b) ** 2).sum() for i, a in enumerate(X) for b in X[:i]]
    found = kernel_width(X, np.random.default_rng(1))
    np.testing.assert_allclose(found, 1 / np.median(pairs))
    assert kernel_width(np.ones((5, 2)), np.random.default_rng(1)) == 1e12  # equal rows


def test_the_kernel_student_is_ridge_regression_in_every_row_order() -> None:
    targets = RNG.normal(size=(40, 2))
    ours = kernel_student(X, targets, 0.5)(X[:7])
    scale = np.exp(-0.5 * ((X[:, None] - X[None]) ** 2).sum(-1)).trace() / 40
    theirs = KernelRidge(alpha=RIDGE * scale, kernel="rbf", gamma=0.5).fit(X, targets)
    np.testing.assert_allclose(ours, theirs.predict(X[:7]), atol=1e-6)


def test_the_linear_student_separates_by_its_columns_and_weights() -> None:
    for k in (2, 3):
        z = X @ RNG.normal(size=(3, k)) * 3
        soft = np.exp(z) / np.exp(z).sum(1, keepdims=True)
        predict = linear_student(X, soft, np.ones(40), np.random.default_rng(0))
        assert predict(X).shape == (40, k)
        assert (predict(X).argmax(1) == z.argmax(1)).mean() > 0.9
    two = np.repeat(X, 2, axis=0)
    soft = np.tile(np.eye(2), (40, 1))  # each row once in each class: weights decide
    weight = np.where((soft[:, 1] == 1) == (two[:, 0] > 0), 1.0, 0.05)
    found = linear_student(two, soft, weight, np.random.default_rng(0))(X).argmax(1)
    assert (found == (X[:, 0] > 0)).mean() > 0.9
