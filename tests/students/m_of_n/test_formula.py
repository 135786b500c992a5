from __future__ import annotations

import numpy as np
import pytest

from limbeck.core.column import Feature
from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.students.m_of_n.count_tests import CountTest
from limbeck.students.m_of_n.formula import formula
from limbeck.students.rules.clause import Clause
from limbeck.students.tree.conditions import Condition
from limbeck.students.tree.nodes import LE, Nodes

FEATURES = Features(tuple(Feature(n) for n in "abc"))
LITERALS = tuple(
    Clause.of({j: Condition(FEATURES.columns[j], low=0.0, missing=False)}) for j in range(3)
)


@pytest.mark.parametrize("m", [1, 2, 3])
def test_rows_go_where_the_tests_send_them(m: int) -> None:
    value = np.arange(5.0)[:, None]
    left, right = np.array([2, -1, 3, -1, -1]), np.array([1, -1, 4, -1, -1])
    nodes = Nodes(np.array([0, -1, 0, -1, -1]), np.full(5, LE), np.zeros(5), np.zeros(5, np.bool_),
                  left, right, value, np.ones(5))  # fmt: skip
    tests = [CountTest(m, LITERALS), None, CountTest(1, LITERALS[:1]), None, None]
    rows = np.array(np.meshgrid(*[[-1, 1, np.nan]] * 3)).reshape(3, -1).T
    many = (rows > 0).sum(axis=1) >= m
    expected = np.where(many, np.where(rows[:, 0] > 0, 3.0, 4.0), 1.0)
    made = formula(tests, nodes, FEATURES, Task())
    assert (made.outputs(rows)[:, 0] == expected).all()
