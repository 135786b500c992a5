from __future__ import annotations

import numpy as np
import pytest

from limbeck.core.column import Feature
from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.students.sparse_sum.model import TermWeights
from limbeck.students.sparse_sum.terms import SumTerm

mpl = pytest.importorskip("matplotlib")
mpl.use("agg")


def test_bars_are_weight_times_span_longest_first_and_a_panel_for_each_class() -> None:
    from matplotlib import pyplot as plt

    from limbeck.students.sparse_sum.plot import plot_sum

    features = Features((Feature("a"), Feature("$b_"), Feature("c")))
    terms = tuple(SumTerm("column", j) for j in range(3))
    found = TermWeights(terms, np.array([[1.0], [-3.0], [0.0]]), np.zeros(1))
    ax = plot_sum(found, np.array([2.0, 1.0, 1.0]), features, Task(("n", "y")), "weight")
    assert [p.get_width() for p in ax.patches] == [-3.0, 2.0]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["$b_", "a"]
    ax.figure.canvas.draw()
    several = TermWeights(terms, np.eye(3), np.zeros(3))
    grid = plot_sum(several, np.ones(3), features, Task(("x", "y", "z")), "weight")
    assert [g.get_title() for g in grid] == ["x", "y", "z"]
    none = TermWeights((), np.zeros((0, 1)), np.ones(1))
    assert len(plot_sum(none, np.ones(0), features, Task(), "weight").patches) == 0
    plt.close("all")
