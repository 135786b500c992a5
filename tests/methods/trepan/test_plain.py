from __future__ import annotations

import numpy as np
import pytest

from limbeck.core.column import Feature
from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.methods.trepan.plain import plain_tree
from limbeck.students.m_of_n.count_tests import CountTest
from limbeck.students.m_of_n.literals import SingleConditions
from limbeck.students.tree.nodes import LE, Nodes

FEATURES = Features((Feature("x"), Feature("c", "categorical", levels=("u", "v", "w"))))
ROWS = np.array([[x, c] for x in (0, 0.5, 1, np.nan) for c in (0, 1, 2, np.nan)])


@pytest.mark.parametrize(
    ("j", "kind", "value"),
    [(0, "above", 0.5), (0, "up to", 0.5), (1, "is", 1.0), (1, "is not", 1.0),
     (0, "missing", 0.0), (1, "not missing", 0.0)],
)  # fmt: skip
def test_each_condition_sends_the_same_rows_the_same_way(j: int, kind: str, value: float) -> None:
    literals = SingleConditions(FEATURES)
    literals.add(j, kind, value)
    asked = CountTest(1, (literals[0],))
    nodes = Nodes(
        np.array([0, -1, -1]), np.full(3, LE), np.zeros(3), np.zeros(3, np.bool_),
        np.array([1, -1, -1]), np.array([2, -1, -1]), np.array([[0.5], [1.0], [0.0]]), np.ones(3),
    )  # fmt: skip

    class Found:
        nodes_, tests_, features_, task_ = nodes, (asked, None, None), FEATURES, Task()

    tree = plain_tree(Found, ROWS)  # type: ignore[arg-type]
    at = [forward(tree.nodes_, row) for row in ROWS]
    assert (tree.nodes_.value[at, 0] == asked.holds(ROWS)).all()


def forward(nodes: Nodes, row: np.ndarray) -> int:
    left = nodes.left_of(0, row[nodes.feature[0]][None])[0]
    return int(nodes.left[0] if left else nodes.right[0])
