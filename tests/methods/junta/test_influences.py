from __future__ import annotations

import numpy as np
import pytest

from limbeck.core.columns import Features
from limbeck.core.progress import quiet
from limbeck.methods.junta.influences import Influences, measured
from limbeck.methods.junta.questions import Questions
from limbeck.teachers import CallableTeacher


def weighted(X):
    return (X @ np.array([3.0, 3.0, 1.0, 1.0, 1.0]) > 0).astype(int)


def test_the_most_influential_are_kept_and_intervals_hold_the_truth():
    X = np.random.default_rng(0).choice([-1.0, 1.0], size=(2000, 5))
    questions = Questions(CallableTeacher(weighted, classes=(0, 1)), Features.of(X).rows(X), 0.05)
    found = Influences(questions, 2, 0.05, 0.05, 100_000, np.random.default_rng(1))
    found.run(8, quiet)
    assert found.keep(8) == [0, 1]
    at, other = np.random.default_rng(2).integers(len(X), size=(2, 100_000))
    for j, name in enumerate(questions.rows.features.names):
        mixed = X[at]
        mixed[:, j] = X[other, j]
        truth = np.mean(weighted(X[at]) != weighted(mixed))
        assert found.trace()[name]["low"] <= truth <= found.trace()[name]["high"]
    mixed = X[at]
    mixed[:, 2:] = X[other, 2:]
    rest = measured(*found.joint, found.level)
    assert rest["low"] <= np.mean(weighted(X[at]) != weighted(mixed)) <= rest["high"]


def test_nothing_measured_is_anything():
    assert measured(0, 0, 0.05) == {"influence": 0.0, "low": 0.0, "high": 1.0, "pairs": 0}
    assert measured(3, 12, 0.05)["influence"] == pytest.approx(0.25)
