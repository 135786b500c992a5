from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.linear_model import LogisticRegression, Ridge

from limbeck.students.text_classifier.fitting import fit_path, losses_of

RNG = np.random.default_rng(0)
X = RNG.standard_normal((300, 5)) * (RNG.random((300, 5)) < 0.4)


@pytest.mark.parametrize("k", [2, 3])
def test_hard_labels_give_scikit_learns_logistic_regression(k):
    y = (X @ RNG.standard_normal((5, k))).argmax(axis=1)
    ones = np.ones(300)
    (found,) = fit_path(csr_array(X), np.eye(k)[y], ones, True, [0.01])
    peer = LogisticRegression(C=1 / (300 * 0.01), tol=1e-8, max_iter=1000).fit(X, y)
    assert np.allclose(found.weights.T, peer.coef_, atol=5e-3)


def test_values_give_ridge_regression():
    y = X @ [1.0, -2.0, 0.0, 3.0, 0.5] + 7
    (found,) = fit_path(csr_array(X), y[:, None], np.ones(300), False, [0.01])
    peer = Ridge(alpha=300 * 0.01).fit(X, y)
    assert np.allclose(found.weights[:, 0], peer.coef_, atol=1e-2)
    assert found.intercept[0] == pytest.approx(peer.intercept_, abs=1e-2)


def test_a_weight_counts_as_copies_and_soft_answers_lie_between():
    p = 1 / (1 + np.exp(-X[:, 0]))
    soft = np.column_stack([1 - p, p])
    (found,) = fit_path(csr_array(X), soft, np.ones(300), True, [1e-6])
    assert found.weights[0, 0] == pytest.approx(1.0, abs=0.02)  # the teacher's own weight
    twice = np.arange(300) < 100
    (heavy,) = fit_path(csr_array(X), soft, 1.0 + twice, True, [0.01])
    rows = np.concatenate([np.arange(300), np.flatnonzero(twice)])
    (copied,) = fit_path(csr_array(X[rows]), soft[rows], np.ones(400), True, [0.01])
    assert np.allclose(heavy.weights, copied.weights, atol=1e-4)
    each = losses_of(found, csr_array(X), soft, True)
    assert each.mean() == pytest.approx(-(soft * np.log(soft)).sum(axis=1).mean(), abs=1e-3)


def test_ordered_classes_have_one_weight_a_column():
    truth, ranks = RNG.standard_normal(5), np.arange(4) - 1.5
    total = np.outer(X @ truth, ranks) + np.array([0.3, 0.1, -0.2, -0.2])
    soft = np.exp(total)
    soft /= soft.sum(axis=1, keepdims=True)
    (found,) = fit_path(csr_array(X), soft, np.ones(300), True, [1e-7], range(4))
    assert np.linalg.matrix_rank(found.weights, tol=1e-6) == 1
    assert np.allclose(found.weights, np.outer(truth, ranks), atol=0.02)
    turned = [2, 0, 3, 1]  # the same classes in other columns
    (other,) = fit_path(csr_array(X), soft[:, turned], np.ones(300), True, [1e-7], turned)
    assert np.allclose(other.weights, found.weights[:, turned], atol=1e-3)
    noisy = np.eye(4)[[RNG.choice(4, p=p) for p in soft]]
    few = slice(0, 60)
    (one,) = fit_path(csr_array(X[few]), noisy[few], np.ones(60), True, [1e-3], range(4))
    (free,) = fit_path(csr_array(X[few]), noisy[few], np.ones(60), True, [1e-3])
    each = [losses_of(fit, csr_array(X[60:]), soft[60:], True).mean() for fit in (one, free)]
    assert each[0] < each[1]  # fewer weights learn quicker where the order is there
    assert np.linalg.matrix_rank(free.weights, tol=1e-6) > 1
