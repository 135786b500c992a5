"""Every student draws itself on matplotlib axes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

from limbeck.core.errors import MissingExtra
from limbeck.students.additive.additive import Additive
from limbeck.students.junta.junta import Junta
from limbeck.students.oblique_tree.tree import ObliqueTree
from limbeck.students.readable import Readable
from limbeck.students.tree.tree import Tree

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")

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


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    plt.close("all")


def words(ax: Any) -> list[str]:
    return [t.get_text() for t in ax.texts]


def test_an_oblique_tree_is_drawn_as_a_tree_of_few_regions() -> None:
    rows = RNG.normal(size=(200, 6))
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


def test_a_tree_says_what_its_rules_say() -> None:
    tree = Tree(4).fit(X, CLASS)
    ax = tree.plot()
    ax.figure.canvas.draw()
    texts = words(ax)
    assert texts.count("yes") == texts.count("no") == tree.size - 1
    boxes = [t for t in texts if t not in ("yes", "no") and not t.endswith("%")]
    assert sum(t.endswith("%") for t in texts) == tree.size  # the shares of rows, beside
    assert len(boxes) == len(tree.nodes_)
    assert sum(t.startswith("_dear: ") for t in boxes) + sum(
        t.startswith("cheap $x$: ") for t in boxes
    ) == tree.size  # fmt: skip
    assert any("'price in $ and $' ≤" in t.replace("\n", " ") for t in boxes)
    assert len(ax.lines) == 2 * tree.size - 2  # edges
    assert len(ax.patches) == len(tree.nodes_)


def test_no_text_of_a_tree_leaves_its_box() -> None:
    for leaves in (3, 20):
        ax = Tree(leaves, task="value").fit(X, VALUE).plot()
        ax.figure.canvas.draw()
        boxes = [p.get_window_extent() for p in ax.patches]
        own = [t for t in ax.texts if t.get_text() not in ("yes", "no")]
        shared = [t.get_window_extent() for t in own if t.get_text().endswith("%")]
        own = [t for t in own if not t.get_text().endswith("%")]
        assert len(shared) == leaves
        for share in shared:  # beside its leaf's value, in the same box
            beside = [t for t in own if abs(t.get_window_extent().y0 - share.y0) < 3]
            assert min(share.x0 - t.get_window_extent().x1 for t in beside) > 0
        for text, box in zip(own, boxes, strict=True):
            extent = text.get_window_extent()
            assert extent.x1 <= box.x1 + 1
            assert extent.height <= box.height + 1


def test_a_junta_draws_its_fractions_or_values() -> None:
    junta = Junta(["colour"]).fit(X, CLASS)
    ax = junta.plot()
    assert [t.get_text() for t in ax.get_yticklabels()] == ["green", "red"]
    seen = junta.table_.value[junta.table_.weight > 0]
    drawn = [[bar.get_width() for bar in c] for c in ax.containers[1:]]
    np.testing.assert_allclose(np.transpose(drawn), seen)
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["_dear", "cheap $x$"]
    values = Junta([0, "colour"], bins=3, task="value").fit(X, VALUE)
    ax = values.plot()
    assert len(ax.patches) == values.size == 8
    assert ax.get_yticklabels()[0].get_text().endswith(", green")


def test_an_additive_student_draws_its_tables() -> None:
    pytest.importorskip("interpret")
    student = Additive(bins=4, rounds=10, task="value").fit(X, VALUE)
    grid = student.plot()
    assert [ax.get_title() for ax in grid] == list(student.importances())
    titles = {ax.get_title(): ax for ax in grid}
    table = dict(zip(student.terms_.columns, student.terms_.tables, strict=True))
    (steps,) = [p for p in titles["price in $ and $"].patches if hasattr(p, "get_data")]
    values, edges, _ = steps.get_data()
    np.testing.assert_allclose(values, table[(0,)][:-1])
    np.testing.assert_allclose(edges[1:-1], student.bins_.edges[0])
    missing = titles["price in $ and $"].lines[0]
    assert missing.get_label() == "missing"
    assert missing.get_ydata()[0] == pytest.approx(table[(0,)][-1])
    np.testing.assert_allclose(
        [bar.get_height() for bar in titles["colour"].patches], table[(1,)][:2]
    )
    assert [t.get_text() for t in titles["colour"].get_xticklabels()] == ["green", "red"]


def test_a_wavelet_student_draws_filters_functions_and_bands() -> None:
    pytest.importorskip("pywt")
    from limbeck.students.wavelet.wavelet import WaveletStudent

    signals = RNG.normal(size=(80, 16))
    student = WaveletStudent("db2", levels=2).fit(signals, signals[:, 0] + signals[:, 1])
    taps, curve, bands = student.plot()
    low, high = (line.get_ydata() for line in taps.lines[:2])
    np.testing.assert_allclose(low, student.filters.low)
    np.testing.assert_allclose(high, student.filters.high)
    assert [line.get_label() for line in curve.lines[:2]] == ["scaling function", "wavelet"]
    assert [t.get_text() for t in bands.get_yticklabels()] == [b.name for b in student.bands]
    shares = np.array([bar.get_width() for bar in bands.patches])
    assert shares.sum() == pytest.approx(100)
    found = student.importances()
    np.testing.assert_allclose(
        shares, [100 * found[b.name] / sum(found.values()) for b in student.bands]
    )


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
