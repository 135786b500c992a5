from __future__ import annotations

import pytest

from limbeck.students.tree.tree import Tree
from tests.students.test_readable import CLASS, VALUE, X, words

pytestmark = pytest.mark.usefixtures("closed_figures")


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
