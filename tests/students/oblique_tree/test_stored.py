from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from limbeck.students.oblique_tree.regions import RegionTree
from limbeck.students.oblique_tree.stored import problem, read_network

LAYERS = [(np.ones((9, 2)), np.zeros(9)), (np.ones((1, 9)), np.zeros(1))]
NODES = {"layer": [0, -1, -1], "unit": [8, 0, 0], "left": [1, -1, -1], "right": [2, -1, -1]}


def fault(layers: Any = LAYERS, fill: Any = (0.0, 0.0), **changed: Any) -> str:
    arrays = {k: np.array(v, dtype=np.int32) for k, v in {**NODES, **changed}.items()}
    tree = RegionTree(**arrays, on=np.zeros((3, 9), dtype=np.bool_))
    return problem(layers, tree, 2, 1, np.array(fill))


def test_units_that_are_on_come_back_bit_by_bit() -> None:
    stored = {
        "layers": [{"weights": W.tolist(), "biases": b.tolist()} for W, b in LAYERS],
        "nodes": NODES, "on": ["8100", "0180"], "fill": [1.0, 2.0],
    }  # fmt: skip
    layers, tree, fill = read_network(stored)
    assert [W.shape for W, _ in layers] == [(9, 2), (1, 9)]
    assert np.flatnonzero(tree.on[1]).tolist() == [0, 7]
    assert np.flatnonzero(tree.on[2]).tolist() == [7, 8]
    assert (tree.on[0] == tree.on[1]).all()
    assert fill.tolist() == [1.0, 2.0]
    assert problem(layers, tree, 2, 1, fill) == ""


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"layers": LAYERS[:1]}, "do not fit each other"),
        ({"layers": [LAYERS[0], (np.full((1, 9), np.nan), np.zeros(1))]}, "not finite"),
        ({"fill": (0.0,)}, "a mean is missing"),
        ({"left": [0, -1, -1]}, "are no tree"),
        ({"right": [1, -1, -1]}, "are no tree"),
        ({"right": [2**31 - 1, -1, -1]}, "are no tree"),  # took 16 GB to find out
        ({"layer": [1, -1, -1]}, "about a layer that is not there"),
        ({"unit": [9, 0, 0]}, "about a unit that is not there"),
        ({"unit": [-1, 0, 0]}, "about a unit that is not there"),
    ],
)
def test_what_is_wrong_is_said(changed: dict[str, Any], says: str) -> None:
    assert says in fault(**changed)
