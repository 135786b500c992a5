from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput
from limbeck.methods.junta.questions import NoisyAnswer, Questions, repeats_needed
from limbeck.teachers import CallableTeacher


def questions_of(function, X, classes=(0, 1, 2), tolerance=0.05):
    return Questions(CallableTeacher(function, classes=classes), Features.of(X).rows(X), tolerance)


def thirds(X):
    return (X[:, 0] * 3).astype(int)


@pytest.fixture
def X():
    return np.random.default_rng(0).random((300, 2))


def test_a_row_of_the_data_is_asked_about_once(X):
    asked = []

    def function(X):
        asked.append(len(X))
        return thirds(X)

    questions = questions_of(function, X)
    at = np.array([5, 5, 7])
    np.testing.assert_array_equal(questions.own(at), thirds(X[at]))
    np.testing.assert_array_equal(questions.own(np.array([7, 8])), thirds(X[[7, 8]]))
    assert sum(asked) == questions.count == 3
    assert questions.queries == 0
    questions.new(X[:4])
    questions.new(X[:2], keep=True)
    assert (questions.count, questions.queries) == (9, 6)
    values, told = questions.kept
    np.testing.assert_array_equal(values, X[:2])
    np.testing.assert_array_equal(told, thirds(X[:2]))


def test_the_majority_and_the_median_count(X):
    noise = np.random.default_rng(1)

    def noisy(X):
        return np.where(noise.random(len(X)) < 0.2, (thirds(X) + 1) % 3, thirds(X))

    questions = questions_of(noisy, X)
    told = questions.new(X)
    assert (told != thirds(X)).any()
    rate, repeats = questions.measure_noise(np.random.default_rng(2), 0.05, 300)
    assert 0.2 <= rate < 0.45
    np.testing.assert_array_equal(questions.own(np.arange(300)), thirds(X))
    assert questions.queries == 300 + 800 + 300 * (repeats - 1)
    values = questions_of(lambda X: X[:, 0] + (noise.random(len(X)) < 0.2) * 9, X, None)
    values.repeats = 41
    np.testing.assert_array_equal(values.new(X), X[:, 0])


def test_another_answer_to_the_same_row_is_noticed(X):
    calls = []

    def moody(X):
        calls.append(1)
        return np.full(len(X), len(calls) % 2)

    questions = questions_of(moody, X)
    told = questions.new(X[:1])
    with pytest.raises(NoisyAnswer):
        questions.again(X[:1], told)
    questions.repeats = 3
    questions.again(X[:1], 1 - told)  # repeated answers are believed
    with pytest.raises(InvalidInput, match="gave two answers to 400 of 400 rows"):
        questions.measure_noise(np.random.default_rng(0), 0.05, 10)


def test_a_tolerance_is_a_share_of_the_spread(X):
    questions = questions_of(lambda X: 10 * X[:, 0], X, None, tolerance=0.5)
    assert questions.apart == pytest.approx(5 * X[:, 0].std())
    assert questions.count == 300  # all are asked about for it
    assert questions.differ(np.array([0.0, 0.0]), np.array([1.0, 2.0])).tolist() == [False, True]


@pytest.mark.parametrize(("rate", "delta"), [(0.01, 1e-4), (0.1, 1e-3), (0.3, 1e-2), (0.0, 0.1)])
def test_the_fewest_repeats_that_suffice(rate, delta):
    t = repeats_needed(rate, delta)
    assert t % 2 == 1

    def wrong(t):
        return sum(binom.pmf(j, t, rate) for j in range(t // 2 + 1, t + 1))

    assert wrong(t) <= delta
    assert t == 1 or wrong(t - 2) > delta
