from __future__ import annotations

import numpy as np

from limbeck.core.column import Feature
from limbeck.core.columns import Features
from limbeck.students.m_of_n.literals import literal_table
from limbeck.students.rules.search import statistics


def said(features: Features, X: np.ndarray, y: np.ndarray) -> list[str]:
    stats = statistics(y, np.ones(len(y)), 2)
    table = literal_table(features, X, stats, 2)
    for i, clause in enumerate(table.clauses):
        assert np.array_equal(clause.holds(X), table.truth[:, i] > 0)
        assert clause.columns == (table.column[i],)
    return [clause.settled(X).as_printed().words() for clause in table.clauses]


def test_thresholds_lie_between_classes_only():
    X = np.array([[1.0], [2.0], [3.0], [4.0], [8.0], [9.0]])
    y = np.array([0, 0, 1, 1, 0, 0])
    assert said(Features.of(X), X, y) == ["x0 > 2", "x0 <= 2", "x0 > 6", "x0 <= 6"]


def test_a_value_of_two_classes_has_thresholds_on_both_sides():
    X = np.array([[1.0], [2.0], [2.0], [3.0]])
    assert len(said(Features.of(X), X, np.array([0, 0, 1, 1]))) == 4


def test_levels_and_missing_values():
    features = Features((Feature("c", "categorical", levels=("u", "v", "w")),))
    X = np.array([[0.0], [1.0], [np.nan], [0.0]])
    assert said(features, X, np.array([0, 1, 1, 0])) == [
        "c is u", "c is not u", "c is v", "c is not v", "c is missing", "c is not missing",
    ]  # fmt: skip


def test_at_most_32_of_a_column():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(900, 1))
    y = (rng.random(900) < 0.5).astype(int)
    assert len(said(Features.of(X), X, y)) == 64
    levels = Features((Feature("c", "categorical", levels=tuple(map(str, range(500)))),))
    codes = rng.integers(0, 500, (3000, 1)).astype(float)
    y = (codes[:, 0] == 77).astype(int)
    many = said(levels, codes, y)
    assert len(many) == 64
    assert "c is 77" in many
