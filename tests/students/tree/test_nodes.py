from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from limbeck.students.tree.nodes import Nodes


def test_known_tree() -> None:
    zeros, none = [0.0] * 5, -1
    nodes = Nodes(
        [1, none, 0, none, none], [0] * 5, [2.0, 0, 3.0, 0, 0], [0] * 5,
        [2, none, 4, none, none], [1, none, 3, none, none], [[0.0]] * 5, zeros,
    )  # fmt: skip
    assert nodes.preorder() == [0, 2, 4, 3, 1]
    assert nodes.depths.tolist() == [0, 1, 1, 2, 2]
    assert (len(nodes), nodes.size) == (5, 3)
    assert nodes.problem((None, None), 1) == ""
    assert "column 1 of 1" in nodes.problem((None,), 1)


def test_leaf() -> None:
    nodes = Nodes.leaf([0.25, 0.75], weight=3.0)
    assert nodes.problem((None,), 2) == ""
    assert (nodes.size, nodes.weight.tolist(), nodes.value.tolist()) == (1, [3.0], [[0.25, 0.75]])


def test_copies_and_locks_its_arrays() -> None:
    value = np.array([[1.0]])
    nodes = pickle.loads(pickle.dumps(Nodes.leaf(value)))
    value[0, 0] = 2.0
    assert nodes.value[0, 0] == 1.0
    for name in nodes.to_lists():
        assert not getattr(nodes, name).flags.writeable


def test_deep_trees_need_no_recursion(forest: Any) -> None:
    m = 4001  # a chain of 2000 questions
    inner = np.arange(m) % 2 == 0
    inner[-1] = False
    ids = np.arange(m)
    nodes = Nodes(
        np.where(inner, 0, -1), np.zeros(m), np.where(inner, ids / 2.0, 0), np.zeros(m),
        np.where(inner, ids + 1, -1), np.where(inner, ids + 2, -1), np.zeros((m, 1)), np.ones(m),
    )  # fmt: skip
    assert nodes.problem((None,), 1) == ""
    assert nodes.depths.max() == 2000


@pytest.mark.parametrize("bad", [[1.5], ["a"], [[1], [1, 2]], [2**70], [float("nan")], [None]])
def test_lists_must_fit_exactly(bad: Any) -> None:
    lists = Nodes.leaf([1.0]).to_lists()
    with pytest.raises(ValueError, match=r"feature|inhomogeneous"):
        Nodes.from_lists(lists | {"feature": bad})
