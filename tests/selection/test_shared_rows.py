from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression

from limbeck.core.columns import Features, Rows
from limbeck.selection.race import folds_of
from limbeck.selection.shared_rows import QUERIES, best_sampler, shared_rows
from limbeck.teachers import StoredScores, as_teacher

X = np.random.default_rng(0).normal(size=(120, 3)).round(2)
Y = X[:, 0] > 0.3
ROWS = Rows(Features.of(X), X)
FOLD = folds_of(np.arange(120), np.random.default_rng(1))


def test_queries_of_a_part_are_made_without_its_fold():
    low = X.copy()
    low[FOLD == 1] += 100.0  # queries stay within the range of the rows that they are made from
    rows = Rows(Features.of(low), low)
    teacher = as_teacher(LogisticRegression().fit(X, Y), Y)
    parts = shared_rows(teacher, rows, FOLD, 0)
    assert [len(p.rows) for p in parts] == [120, 80, 80, 80]
    without = parts[2]
    assert without.rows.values.max() < 50
    if len(without.queries):
        assert len(without.queries) == QUERIES
        assert without.queries.values.max() < 50
    for part in parts:
        assert np.allclose(part.scores, teacher.scores(part.rows.native()))
        assert np.allclose(part.query_scores, teacher.scores(part.queries.native()))
        n, q = len(part.rows), len(part.queries)
        assert part.everything.values.shape == (n + q, 3)
        if q:
            assert np.isclose(part.weight[n:].sum() / part.weight.sum(), 0.5)


def test_the_same_seed_asks_the_same():
    teacher = as_teacher(LogisticRegression().fit(X, Y), Y)
    a, b = (shared_rows(teacher, ROWS, FOLD, 7) for _ in range(2))
    assert all(
        np.array_equal(p.queries.values, q.queries.values) for p, q in zip(a, b, strict=True)
    )


def test_stored_scores_are_asked_nothing():
    stored = StoredScores(X, Y.astype(int))
    assert best_sampler(stored, ROWS, np.random.default_rng(0)) == "none"
    assert all(len(part.queries) == 0 for part in shared_rows(stored, ROWS, FOLD, 0))
