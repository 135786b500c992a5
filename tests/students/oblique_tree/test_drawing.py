from __future__ import annotations

import numpy as np
import pytest

from limbeck.students.oblique_tree.tree import ObliqueTree
from tests.students.test_readable import words

pytestmark = pytest.mark.usefixtures("closed_figures")


def test_an_oblique_tree_is_drawn_as_a_tree_of_few_regions() -> None:
    rows = np.random.default_rng(0).normal(size=(200, 6))
    tree = ObliqueTree(hidden=(3,)).fit(rows, (np.abs(rows[:, 0]) + rows[:, 1] > 0.5) * 1)
    ax = tree.plot()
    texts = [t.replace("\n", " ") for t in words(ax)]
    assert texts.count("yes") == tree.size - 1
    assert sum("more" in t and t.endswith("> 0?") for t in texts) == tree.size - 1
    assert sum("1 where " in t for t in texts) == tree.size
    assert max(ax.figure.get_size_inches()) < 10
    assert tree.svg().count("<rect") == 2 * tree.size - 1
    many = ObliqueTree(hidden=(7,)).fit(rows, rows @ [3.0, -2, 1, 2, -1, 1] + np.abs(rows).sum(1))
    assert many.size > 32
    assert f"Drawn is the top of a tree of {many.size:,} regions." in words(many.plot())
    assert many.svg().count("<rect") == 2 * 32 - 1
