from __future__ import annotations

import numpy as np
import pytest

from limbeck.core.column import Feature
from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task
from limbeck.students.oblique_tree.formula import formula
from limbeck.students.oblique_tree.regions import RegionTree

FEATURES = Features((Feature("a"), Feature("b")))
FILL = np.array([1.0, -1.0])


def tree(layer: list[int], left: list[int], right: list[int]) -> RegionTree:
    m = len(layer)
    parts = (np.array(p, dtype=np.int32) for p in (layer, [0] * m, left, right))
    return RegionTree(*parts, on=np.zeros((m, 1), dtype=np.bool_))


def test_each_region_has_its_own_linear_function() -> None:
    questions, leaves = np.zeros((3, 3)), np.zeros((3, 1, 3))
    questions[0] = [1.0, 1.0, -1.0]  # a + b > 1
    leaves[1, 0], leaves[2, 0] = [2.0, 0.0, 5.0], [0.0, -1.0, 0.0]
    made = formula(tree([0, -1, -1], [1, -1, -1], [2, -1, -1]), questions, leaves, FILL, FEATURES,
                   Task())  # fmt: skip
    rows = np.array([[2, 0.5], [0.5, 0.5], [0, 3], [np.nan, 9], [0, np.nan]])
    # a missing value is 1 or -1; a sum that is 0 goes to the right
    assert made.outputs(rows)[:, 0].tolist() == [9.0, -0.5, 5.0, 7.0, 1.0]


def test_thousands_of_regions_are_no_formula() -> None:
    many = tree([-1] * 2001, [-1] * 2001, [-1] * 2001)
    with pytest.raises(
        InvalidInput, match="2,001 regions, and is written as a formula up to 2,000"
    ):
        formula(many, np.zeros((2001, 3)), np.zeros((2001, 1, 3)), FILL, FEATURES, Task())
