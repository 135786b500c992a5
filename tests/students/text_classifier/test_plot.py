from __future__ import annotations

import pytest

from limbeck.core.task import Task
from limbeck.students.text_classifier.plot import plot_terms

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")

pytestmark = pytest.mark.usefixtures("closed_figures")


def test_each_class_has_its_terms_on_one_scale() -> None:
    found = {"no": [("b$", 3.0), ("_c", 1.0)], "yes": [("a", 2.0)]}
    grid = plot_terms(found, Task(("no", "yes")))
    assert [ax.get_title() for ax in grid] == ["for no", "for yes"]
    assert [[p.get_width() for p in ax.patches] for ax in grid] == [[3.0, 1.0], [2.0]]
    assert [t.get_text() for t in grid[0].get_yticklabels()] == ["b$", "_c"]
    assert grid[0].yaxis_inverted()
    assert {round(ax.get_xlim()[1], 9) for ax in grid} == {3.15}
    assert grid[0].patches[0].get_facecolor() != grid[1].patches[0].get_facecolor()
