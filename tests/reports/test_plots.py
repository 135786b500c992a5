"""What all plots are made of."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
import pytest

from limbeck.core.errors import InvalidInput, MissingExtra
from limbeck.core.measured import Measured
from limbeck.reports.charts import Line, Panel
from limbeck.reports.plots import axes_of, bars, curves, grid_of, intervals, legend

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")

EVIL = ["_hidden", r"$\alpha$", "$broken", "<b>"]


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    plt.close("all")


def test_given_axes_are_used_and_others_are_made() -> None:
    _, ax = plt.subplots()
    assert axes_of(ax) is ax
    assert axes_of().figure is not ax.figure
    with pytest.raises(InvalidInput, match=r"ax is 3\. Give axes, as plt\.subplots"):
        axes_of(3)


def test_a_grid_of_its_own_or_in_the_place_of_others() -> None:
    assert len(grid_of(5)) == 5
    assert [grid_of(n)[0].get_gridspec().ncols for n in (1, 2, 3, 4, 5, 7)] == [1, 2, 3, 2, 3, 3]
    figure, (left, right) = plt.subplots(1, 2)
    right.plot([0, 1])
    place = left.get_position()
    made = grid_of(4, left, columns=2)
    assert all(own.figure is figure for own in made)
    for own in made:
        inside = own.get_position()
        assert inside.x1 <= place.x1 + 1e-9
        assert inside.x0 >= place.x0 - 1e-9
    _, given = plt.subplots(1, 3)
    assert list(grid_of(3, given)) == list(given)
    with pytest.raises(InvalidInput, match=r"There are 3 axes\. Give 2, or one to divide"):
        grid_of(2, given)


def test_names_are_neither_formulas_nor_hidden() -> None:
    ax = axes_of()
    bars(ax, EVIL, [1, 2, 3, 4])
    legend(ax, {name: ax.plot([0, 1])[0] for name in EVIL})
    ax.figure.canvas.draw()  # a formula that is broken would raise here
    assert [t.get_text() for t in ax.get_yticklabels()] == EVIL
    assert [t.get_text() for t in ax.get_legend().get_texts()] == EVIL
    assert not any(t.get_parse_math() for t in ax.get_yticklabels())
    assert not any(t.get_parse_math() for t in ax.get_legend().get_texts())


def test_intervals_lie_where_they_were_measured() -> None:
    ax = axes_of()
    a = [Measured(0.5, 0.4, 0.7), None, Measured(0.1, 0.0, 0.3)]
    intervals(ax, ["x", "y", "z"], {"a": a, "b": [None, *a[:2]]}, [True, False, False])
    (first, _, (span,)), _ = ax.containers
    np.testing.assert_allclose(np.asarray(first.get_xdata(), float), [0.5, 0.1])
    ends = np.array([segment[:, 0] for segment in span.get_segments()])
    np.testing.assert_allclose(ends, [[0.4, 0.7], [0.0, 0.3]])
    assert ax.get_ylim() == (2.5, -0.5)  # the first line on top
    weights = [t.get_fontweight() for t in ax.get_yticklabels()]
    assert weights == ["bold", "normal", "normal"]
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["a", "b"]


def test_curves_are_those_of_the_page() -> None:
    ax = axes_of()
    lines = (Line("student", ((1, 0.5), (2, 0.7))), Line("control", ((1, 0.4), (2, 0.6)), False))
    curves(ax, Panel("Agreement", "share", lines, 2))
    student, control, chosen = ax.lines
    assert student.get_ydata().tolist() == [0.5, 0.7]
    assert control.get_linestyle() == "--"
    assert chosen.get_xdata() == [2, 2]
    assert (ax.get_title(), ax.get_ylabel(), ax.get_xlabel()) == ("Agreement", "share", "leaves")


def test_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    for draw in (axes_of, lambda: grid_of(2)):
        with pytest.raises(MissingExtra, match=r"pip install 'limbeck\[plot\]'"):
            draw()
