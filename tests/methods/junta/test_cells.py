from __future__ import annotations

import numpy as np

from limbeck.core.columns import Features
from limbeck.methods.junta.cells import cells_of, fill
from limbeck.methods.junta.questions import Questions
from limbeck.teachers import CallableTeacher


def questions_of(function, X):
    return Questions(CallableTeacher(function, classes=(0, 1)), Features.of(X).rows(X), 0.05)


def test_one_question_fills_a_cell():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 3, size=(600, 8)).astype(float)
    X[:, 4] = X[:, 1]  # 3 of the 9 cells lie in the data

    def function(X):
        return (X[:, 1] + X[:, 4] > 2).astype(int)

    questions = questions_of(function, X)
    told = fill(questions, [1, 4], 8, 1000, rng)
    np.testing.assert_array_equal(told, function(X))
    assert questions.count == 9
    assert questions.queries == 6
    values, answers = questions.kept
    assert len(np.unique(values[:, [1, 4]], axis=0)) == 6
    np.testing.assert_array_equal(answers, function(values))


def test_a_limit_leaves_cells_out_that_no_row_lies_in():
    X = np.tile(np.arange(3.0)[:, None], (20, 4))
    questions = questions_of(lambda X: (X[:, 0] > 1).astype(int), X)
    told = fill(questions, [0, 1], 8, 2, np.random.default_rng(0))
    np.testing.assert_array_equal(told, X[:, 0] > 1)
    assert (questions.count, questions.queries) == (5, 2)


def test_answers_that_differ_within_a_cell_are_counted():
    X = np.random.default_rng(1).choice([0.0, 1.0], size=(200, 3))
    questions = questions_of(lambda X: np.maximum(X[:, 0], X[:, 2]).astype(int), X)
    questions.own(np.arange(150))
    told = fill(questions, [0], 8, 10, np.random.default_rng(0))
    assert questions.count == 150
    known = np.maximum(X[:150, 0], X[:150, 2])
    for side in (0, 1):
        majority = known[X[:150, 0] == side].mean() > 0.5
        assert (told[150:][X[150:, 0] == side] == majority).all()


def test_cells_of_numbers_get_twenty_answers():
    X = np.random.default_rng(0).normal(size=(300, 5))
    X[:, 3] = X[:, 0] + 0.01 * X[:, 3]  # most cells are empty
    questions = questions_of(lambda X: (X[:, 0] * X[:, 3] > 0).astype(int), X)
    told = fill(questions, [0, 3], 4, 10_000, np.random.default_rng(0))
    assert len(told) == 300
    edges = [np.quantile(X[:, j], [0.25, 0.5, 0.75]) for j in (0, 3)]
    values = np.concatenate([X, questions.kept[0]])
    at = np.ravel_multi_index(
        [np.searchsorted(e, values[:, j]) for e, j in zip(edges, (0, 3), strict=True)], (4, 4)
    )
    counts = np.bincount(at, minlength=16)
    assert (counts >= 12).all()  # 20 are drawn on average
    assert questions.queries < 20 * cells_of(questions.rows, [0, 3], 4)
    fewer = questions_of(lambda X: (X[:, 0] > 0).astype(int), X)
    fill(fewer, [0, 3], 4, 7, np.random.default_rng(0))
    assert fewer.queries <= 7
