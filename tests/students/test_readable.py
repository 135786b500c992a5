"""Every student draws itself on matplotlib axes."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest

from limbeck.core.errors import MissingExtra
from limbeck.students.junta.junta import Junta
from limbeck.students.readable import Readable
from limbeck.students.tree.tree import Tree

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")

pytestmark = pytest.mark.usefixtures("closed_figures")
RNG = np.random.default_rng(0)
X = pd.DataFrame(
    {
        "price in $ and $": RNG.integers(0, 40, 400).astype(float),
        "colour": pd.Categorical(RNG.choice(["red", "green"], 400)),
    }
)
X.iloc[::9, 0] = np.nan
VALUE = np.nan_to_num(X.iloc[:, 0].to_numpy()) + 30.0 * (X["colour"] == "red").to_numpy()
CLASS = np.where(VALUE > 25, "_dear", "cheap $x$")


def words(ax: Any) -> list[str]:
    return [t.get_text() for t in ax.texts]


def test_given_axes_are_drawn_on_and_names_may_look_like_formulas() -> None:
    for student in (Tree(3).fit(X, CLASS), Junta([0]).fit(X, CLASS)):
        _, ax = plt.subplots()
        assert student.plot(ax=ax) is ax
        ax.figure.canvas.draw()


def test_a_student_without_a_drawing_is_its_text() -> None:
    class Plain(Tree):
        _plot = Readable._plot  # that of all students

    ax = Plain(2).fit(X, VALUE, None).plot()
    assert words(ax) == [Tree(2).fit(X, VALUE).text()]


def test_without_matplotlib_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(MissingExtra, match=r"limbeck\[plot\]"):
        Tree(2).fit(X, VALUE).plot()
