from __future__ import annotations

import numpy as np

from limbeck.core.column import Feature
from limbeck.core.columns import Features
from limbeck.students.rules.clause import Clause
from limbeck.students.rules.pieces import decided, means, searched
from limbeck.students.tree.conditions import Condition

X = np.arange(6.0)[:, None]
CLAUSES = [Clause.of({0: Condition(Feature("x"), high=h)}) for h in (1.0, 3.0)]


def test_the_first_clause_that_holds_decides() -> None:
    assert [rows.tolist() for rows in decided(CLAUSES, X)] == [[0, 1], [2, 3], [4, 5]]
    assert [rows.tolist() for rows in decided([], X)] == [[*range(6)]]


def test_means_are_weighted_and_an_empty_group_gets_that_of_all() -> None:
    groups = [np.array([0, 1]), np.array([], dtype=int)]
    weight = np.array([1.0, 3.0, 2.0, 0.0, 0.0, 2.0])
    value, share = means(groups, np.array([4.0, 8.0, 1.0, 9.0, 9.0, 0.0]), weight, 0)
    assert value.tolist() == [[7.0], [30 / 8]]
    assert share.tolist() == [0.5, 0.0]
    value, share = means(groups, np.array([0, 1, 2, 0, 0, 1]), weight, 3)
    assert value.tolist() == [[0.25, 0.75, 0.0], [1 / 8, 5 / 8, 2 / 8]]
    assert share.tolist() == [0.5, 0.0]


def test_candidates_are_sought_on_8000_rows_in_their_order() -> None:
    values = np.arange(9000.0)[:, None]
    found = searched(Features.of(values), values, np.arange(9000.0), np.ones(9000), 0, 3,
                     np.random.default_rng(0))  # fmt: skip
    assert found.values.shape == (8000, 1)
    assert (np.diff(found.values[:, 0]) > 0).all()
    assert (found.values[:, 0] == found.target).all()
