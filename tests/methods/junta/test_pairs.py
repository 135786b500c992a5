from __future__ import annotations

import math

import numpy as np
import pytest

from limbeck.certificates.binomial import smallest_n
from limbeck.core.columns import Features
from limbeck.core.progress import quiet
from limbeck.methods.junta.pairs import most_questions, relevant
from limbeck.methods.junta.questions import Questions
from limbeck.teachers import CallableTeacher


def search(function, X, k, classes=(0, 1), limit=10**6, seed=0, epsilon=0.05, delta=0.05):
    questions = Questions(CallableTeacher(function, classes=classes), Features.of(X).rows(X), 0.05)
    rng = np.random.default_rng(seed)
    return relevant(questions, k, epsilon, delta, limit, rng, quiet), questions


@pytest.mark.parametrize(("d", "seed"), [(2, 0), (37, 1), (128, 2), (129, 3), (2000, 4)])
def test_a_parity_is_found_within_the_questions_promised(d, seed):
    X = np.random.default_rng(seed).choice([0.0, 1.0], size=(500, d))
    k = min(5, d)
    columns = np.random.default_rng(seed).choice(d, size=k, replace=False)
    found, questions = search(lambda X: X[:, columns].sum(axis=1) % 2, X, k, seed=seed)
    assert set(found.columns) == set(columns)
    assert found.done
    m = smallest_n(0.05, found.level)
    assert found.pairs == m
    assert questions.count <= most_questions(k, d, m)
    assert most_questions(3, 1000, 10) == 2 * 10 * 4 + 4 * (math.ceil(math.log2(1000)) + 2)


def test_one_variable_too_many_ends_the_search():
    X = np.random.default_rng(0).choice([0.0, 1.0], size=(500, 20))
    found, questions = search(lambda X: X.sum(axis=1) % 2, X, 3)
    assert not found.done
    assert len(set(found.columns)) == 4
    assert questions.count < 100


def test_missing_values_and_values_far_apart():
    """Missing is a value like any other; of numbers the larger part of a difference is followed."""
    X = np.random.default_rng(0).normal(size=(400, 16))
    X[::3, 5] = np.nan

    def function(X):
        return np.where(np.isnan(X[:, 5]), 3.0, X[:, 11]) + 1e-4 * X[:, 2]

    found, _ = search(function, X, 2, classes=None)
    assert set(found.columns) == {5, 11}
    assert found.done


def test_questions_may_end_first():
    X = np.random.default_rng(0).choice([0.0, 1.0], size=(500, 20))
    found, questions = search(lambda X: X[:, 3].astype(int), X, 3, limit=40)
    assert found.columns == [3]
    assert not found.done
    assert questions.queries <= 40


def test_equal_rows_need_no_question():
    X = np.zeros((50, 4))
    found, questions = search(lambda X: X[:, 0].astype(int), X, 2)
    assert found.columns == []
    assert found.done
    assert questions.queries == 0


def test_a_rare_wrong_answer_gives_no_false_variable():
    X = np.random.default_rng(0).choice([0.0, 1.0], size=(500, 64))
    for seed in range(10):
        noise = np.random.default_rng(100 + seed)

        def noisy(X, noise=noise):
            return np.where(noise.random(len(X)) < 0.03, 1 - X[:, 9], X[:, 9]).astype(int)

        found, _ = search(noisy, X, 3, seed=seed)
        assert found.columns == [9]
        assert found.done
