from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn.linear_model import LogisticRegression

from limbeck.core.columns import Features
from limbeck.students.additive.constraints import Constraints
from limbeck.students.additive.stepwise import StepProblem


def problem(shares: np.ndarray, X: np.ndarray, **given) -> StepProblem:
    features = Features.of(X)
    return StepProblem.of(features, X, shares, np.ones(len(X)), Constraints(**given), 8, 5, True)


def entropy(p: np.ndarray, shares: np.ndarray) -> float:
    return float(-(shares * np.log(p)).sum(axis=1).mean())


def test_cross_entropy_nears_that_of_logistic_regression_on_the_same_terms() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1500, 2))
    y = (rng.random(1500) < expit(3 * (X[:, 0] > 0) - 2 * (X[:, 1] > 0.5))).astype(int)
    made = problem(np.eye(2)[y], X)
    fit = made.fit(made.moments(), 0.001)
    near = made.refined(fit, 0.001)
    ones = np.hstack([g.table[at] for g, at in zip(made.steps.groups, made.cells, strict=True)])
    best = LogisticRegression(C=1 / (1500 * 0.0001)).fit(ones, y)
    goal = entropy(best.predict_proba(ones), np.eye(2)[y])
    found = [
        entropy(np.hstack([1 - p, p]), np.eye(2)[y])
        for p in (expit(made.add_up(f, made.cells)) for f in (fit, near))
    ]
    assert found[1] < found[0]
    assert found[1] == pytest.approx(goal, abs=0.005)


def test_a_class_between_two_others_is_found() -> None:
    X = np.linspace(-3, 3, 900)[:, None]
    y = np.digitize(X[:, 0], [-1, 1])
    rng = np.random.default_rng(0)
    X = np.hstack([X, X + rng.normal(size=X.shape)])
    made = problem(np.eye(3)[y], X)
    fit = made.fit(made.moments(), 0.001)
    before = softmax(made.add_up(fit, made.cells), axis=1)
    after = softmax(made.add_up(made.refined(fit, 0.001), made.cells), axis=1)
    assert entropy(after, np.eye(3)[y]) < entropy(before, np.eye(3)[y])
    assert (after.argmax(axis=1) == y).mean() > 0.9
    assert (before.argmax(axis=1) == y).mean() < (after.argmax(axis=1) == y).mean()


def test_directions_are_kept_and_values_are_left_alone() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 1))
    share = expit(np.sin(3 * X))
    made = problem(np.hstack([1 - share, share]), X, monotone={"x0": 1})
    fit = made.refined(made.fit(made.moments(), 0.001), 0.001)
    assert (fit.theta[made.limits.signs > 0] >= 0).all()
    plain = StepProblem.of(Features.of(X), X, X, np.ones(600), Constraints())
    one = plain.fit(plain.moments(), 0.01)
    assert plain.refined(one, 0.01) is one
