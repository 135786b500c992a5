from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from limbeck.students.tree.apply import walker


@pytest.mark.parametrize("size", [1, 2, 7, 255, 256, 257, 600])
def test_both_ways_agree_with_plain_traversal(forest: Any, size: int) -> None:
    nodes = forest.tree(size, size, forest.tasks["value"]).nodes_
    rows = forest.rows(np.random.default_rng(size), 300).values
    walk, leaves = walker(nodes)
    assert leaves[walk(rows)].tolist() == [forest.leaf(nodes, row) for row in rows]


def test_no_rows(forest: Any) -> None:
    for size in (1, 5, 300):
        walk, _ = walker(forest.tree(0, size, forest.tasks["value"]).nodes_)
        assert walk(np.empty((0, 5))).shape == (0,)
