from __future__ import annotations

import numpy as np

from limbeck.students.tree.folding import Drawn, folded
from limbeck.students.tree.layout import Piece
from limbeck.students.tree.tree import Tree


def test_branches_are_opened_where_most_rows_are() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.exponential(size=(400, 3)), rng.integers(0, 3, 400)
    nodes = Tree(60).fit(X, y).nodes_
    whole = Drawn(nodes, [[Piece(str(i))] for i in range(len(nodes))], [""] * len(nodes),
                  ["#000000"] * len(nodes))  # fmt: skip
    for most in (1, 2, 7, 30, nodes.size - 1):
        part = folded(whole, most)
        assert part.nodes.size == most
        closed = [t[0].text.startswith("…") for t in part.texts]
        inner = part.nodes.weight[~part.nodes.is_leaf]
        assert inner.min(initial=np.inf) >= part.nodes.weight[closed].max()
        below = [int(t[0].text.split()[1]) for t, c in zip(part.texts, closed, strict=True) if c]
        assert sum(below) + most - len(below) == nodes.size
    assert folded(whole, nodes.size) is whole
