from __future__ import annotations

import numpy as np

from limbeck.core.column import Feature
from limbeck.core.columns import Features
from limbeck.students.rules.candidates import CandidateClauses, CandidateTrees
from limbeck.students.rules.clause import Clause
from limbeck.students.tree.conditions import Condition

FEATURES = Features((Feature("a"), Feature("b", "categorical", levels=("u", "v", "w"))))


def data(n: int = 200, holes: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(0)
    values = np.column_stack([rng.normal(size=n), rng.integers(0, 3, n).astype(float)])
    values[rng.random(n) < holes, 0] = np.nan
    return values


def made(values: np.ndarray, most: int = 2) -> tuple[CandidateTrees, CandidateClauses]:
    target = ((np.nan_to_num(values[:, 0]) > 0.3) ^ (values[:, 1] == 1)).astype(int)
    trees = CandidateTrees(FEATURES, values, target, np.ones(len(values)), 2, most)
    return trees, trees.first(20, np.random.default_rng(0))


def test_a_candidate_holds_on_its_rows_and_no_others():
    for holes in (0.0, 0.2):
        values = data(holes=holes)
        _, found = made(values)
        assert len(found) > 20
        for i, clause in enumerate(found.clauses):
            assert np.array_equal(clause.holds(values), found.rows[:, i] > 0)


def test_no_two_candidates_say_the_same_and_none_is_too_long():
    for most in (1, 2, 3):
        _, found = made(data(), most)
        assert len({found.rows[:, i].tobytes() for i in range(len(found))}) == len(found)
        assert max(clause.numbers for clause in found.clauses) <= most
        assert np.array_equal(found.numbers, [c.numbers + 1 for c in found.clauses])


def test_missing_values_fail_where_there_were_none():
    _, found = made(data())
    row = np.array([[np.nan, 1.0]])
    asks = [c for c in found.clauses if 0 in c.columns]
    assert asks
    assert not any(c.holds(row)[0] for c in asks)


def test_the_shorter_of_two_is_kept():
    found, rows = CandidateClauses(3), np.array([True, False, False])
    long = Clause.of({0: Condition(FEATURES.columns[0], 0.0, 1.0)})
    short = Clause.of({0: Condition(FEATURES.columns[0], high=1.0)})
    for clause in (long, short, long):
        found.add(clause, rows)
    assert found.clauses == [short]
    assert found.rows.shape == (3, 1)
