from __future__ import annotations

import numpy as np
from scipy.special import expit, softmax

from limbeck.core.task import Task
from limbeck.students.wavelet.readout import answers, logistic, shares


def test_the_weights_of_a_known_logistic_model() -> None:
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(4000, 3))
    truth = np.array([2.0, -1.0, 0.0])
    p = expit(Z @ truth + 0.5)
    soft = np.column_stack([1 - p, p])
    weights, intercept = logistic(Z, soft, np.ones(4000), rng)
    assert weights.shape == (3, 1)
    np.testing.assert_allclose(weights[:, 0], truth, atol=0.1)
    np.testing.assert_allclose(intercept, [0.5], atol=0.1)
    hard = np.eye(2)[(rng.random(4000) < p).astype(int)]
    weights, intercept = logistic(Z, hard, np.ones(4000), rng)
    np.testing.assert_allclose(weights[:, 0], truth, atol=0.3)


def test_three_classes() -> None:
    rng = np.random.default_rng(1)
    Z = rng.normal(size=(3000, 2))
    truth = np.array([[1.0, 0.0, -1.0], [0.0, 2.0, -2.0]])
    soft = softmax(Z @ truth, axis=1)
    weights, intercept = logistic(Z, soft, np.ones(3000), rng)
    assert np.abs(shares(Z @ weights + intercept, Task(("a", "b", "c"))) - soft).max() < 0.05


def test_rows_without_weight_do_not_count() -> None:
    rng = np.random.default_rng(2)
    Z = rng.normal(size=(300, 2))
    hard = np.eye(2)[(Z[:, 0] > 0).astype(int)]
    weight = np.ones(300)
    hard[:50], weight[:50] = hard[:50, ::-1], 0.0
    weights, _ = logistic(Z, hard, weight, rng)
    assert weights[0, 0] > 3


def test_sums_become_answers() -> None:
    sums = np.array([[0.0], [1.0], [-1.0]])
    assert answers(sums, Task()).tolist() == [0, 1, -1]
    assert answers(sums, Task(("a", "b"))).tolist() == [0, 1, 0]
    np.testing.assert_allclose(shares(sums, Task(("a", "b")))[:, 1], expit(sums[:, 0]))
    assert (shares(sums, Task(("a",))) == 1).all()
    assert answers(sums, Task(("a",))).tolist() == [0, 0, 0]
    three = np.array([[0.0, 2.0, 1.0]])
    assert answers(three, Task(("a", "b", "c"))).tolist() == [1]
