from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from limbeck.core.column import Feature
from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task
from limbeck.students.tree.nodes import Nodes
from limbeck.students.tree.tree import Tree

SVG = "{http://www.w3.org/2000/svg}"
LONG = Features((Feature('a very long "name" of <one> column & more of it [mm]', unit="mm"),))


def full_tree(depth: int) -> Tree:
    """All questions down to a depth."""
    m = 2 ** (depth + 1) - 1
    ids = np.arange(m)
    inner = ids < 2**depth - 1
    value = np.random.default_rng(0).dirichlet(np.ones(10), m)
    nodes = Nodes(
        np.where(inner, 0, -1), np.zeros(m), np.where(inner, ids + 0.123456, 0), np.zeros(m),
        np.where(inner, 2 * ids + 1, -1), np.where(inner, 2 * ids + 2, -1), value,
        1.0 / 2.0 ** np.floor(np.log2(ids + 1)),
    )  # fmt: skip
    return Tree.from_nodes(nodes, LONG, Task(tuple(f"a class with a name, {i}" for i in range(10))))


def boxes(drawing: str) -> tuple[ElementTree.Element, np.ndarray]:
    root = ElementTree.fromstring(drawing)
    found = [r for r in root.iter(f"{SVG}rect") if r.get("class") == "box"]
    sizes = [[float(r.get(a, "nan")) for a in ("x", "y", "width", "height")] for r in found]
    return root, np.array(sizes)


def edges(root: ElementTree.Element) -> list[ElementTree.Element]:
    return [p for p in root.iter(f"{SVG}path") if p.get("class") != "bars"]


def check_boxes(tree: Tree) -> None:
    root, found = boxes(tree.svg())
    assert len(found) == len(tree.nodes_)
    left, top = found[:, 0], found[:, 1]
    right, bottom = left + found[:, 2], top + found[:, 3]
    overlap = (
        (left[:, None] < right) & (left < right[:, None])
        & (top[:, None] < bottom + 2) & (top < bottom[:, None] + 2)
    )  # fmt: skip
    assert overlap.sum() == len(found)  # each only with itself
    assert left.min() > 0
    assert top.min() > 0
    assert right.max() < float(root.get("width", "nan"))
    assert bottom.max() < float(root.get("height", "nan"))


@pytest.mark.parametrize("depth", [0, 1, 2, 6])
def test_no_two_boxes_overlap(depth: int) -> None:
    check_boxes(full_tree(depth))


@pytest.mark.parametrize("seed", range(6))
def test_no_two_boxes_overlap_in_lopsided_trees(forest: Any, seed: int) -> None:
    check_boxes(forest.tree(seed, 30, forest.tasks["value"]))


def test_is_accessible_and_shows_full_names() -> None:
    drawing = full_tree(2).svg()
    root, _ = boxes(drawing)
    assert root.get("role") == "img"
    assert root.get("aria-label") == "Decision tree of 4 leaves and depth 2"
    titles = [t.text or "" for t in root.iter(f"{SVG}title")]
    name = """'a very long "name" of <one> column & more of it'"""
    assert any(f"{name} <= 0.123456 mm?" in t for t in titles)
    shown = [t.text or "" for t in root.iter(f"{SVG}text")]
    assert {"yes", "no"} <= set(shown)
    whole = " ".join("".join(t.itertext()) for t in root.iter(f"{SVG}text"))
    assert f"{name} ≤\u00a00.123456\u00a0mm?" in whole  # over two lines, nothing left out
    assert not any("http" in line for line in drawing.splitlines()[1:])


def test_edges_are_as_wide_as_shares() -> None:
    root, _ = boxes(Tree(2).fit([[1.0], [2.0], [3.0], [4.0]], ["a", "b", "b", "b"]).svg())
    assert [p.get("stroke-width") for p in edges(root)] == ["3.2", "7.8"]


@pytest.mark.parametrize("depth", [1, 3, 7])
def test_a_drawing_fits_a_page_of_1280_pixels_with_long_names(depth: int) -> None:
    root, found = boxes(full_tree(depth).svg())
    assert float(root.get("width", "nan")) <= 970
    assert (found[:, 2] >= 40).all()


def test_lines_down_meet_no_other_box() -> None:
    root, found = boxes(full_tree(5).svg())
    for path in edges(root):
        x, y, to_y = map(float, re.findall(r"M([\d.]+),([\d.]+) V([\d.]+)", path.get("d", ""))[0])
        low, high = sorted((y, to_y))
        across = (found[:, 0] < x) & (x < found[:, 0] + found[:, 2])
        between = (found[:, 1] < high) & (found[:, 1] + found[:, 3] > low)
        assert (across & between).sum() == 1  # the question that it comes from


def test_missing_values_are_told_in_the_question() -> None:
    tree = Tree(2).fit([[1.0], [2.0], [np.nan], [4.0]], ["a", "a", "b", "b"])
    root, _ = boxes(tree.svg())
    assert "(missing: no)" in "".join(root.itertext())


def test_one_value_only() -> None:
    tree = Tree(1, task="value").fit([[1.0]], [2.0])
    assert "2" in [t.text for t in ElementTree.fromstring(tree.svg()).iter(f"{SVG}text")]


def test_of_many_leaves_300_are_drawn_and_the_rest_is_named() -> None:
    tree = full_tree(9)  # 512 leaves of one weight: 255 + 44 questions are opened
    root, found = boxes(tree.svg())
    assert len(found) == 2 * 300 - 1
    said = " ".join("".join(t.itertext()) for t in root.iter(f"{SVG}text"))
    assert said.count("… 2 leaves") == 212
    assert "88 leaves of 512, where most rows are, and 212 branches" in said
    assert found[:, 1].max() < float(root.get("height", "nan")) - 24  # the sentence is below
    assert "212 branches" in tree.outline()
    assert len(boxes(tree.svg(max_drawn=None))[1]) == 1023
    assert "branches" not in full_tree(8).svg()


@pytest.mark.parametrize("bad", [0, 1.5, "all"])
def test_how_many_leaves_are_drawn_is_a_whole_number(bad: Any) -> None:
    with pytest.raises(InvalidInput, match="max_drawn"):
        full_tree(1).svg(max_drawn=bad)
