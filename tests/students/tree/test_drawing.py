from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from limbeck.core.columns import Feature, Features
from limbeck.core.contract import Task
from limbeck.students.tree.drawing import FONT, shorten
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
    assert any("…" in t for t in shown)
    assert not any("http" in line for line in drawing.splitlines()[1:])


def test_edges_are_as_wide_as_shares() -> None:
    root, _ = boxes(Tree(2).fit([[1.0], [2.0], [3.0], [4.0]], ["a", "b", "b", "b"]).svg())
    assert [p.get("stroke-width") for p in root.iter(f"{SVG}path")] == ["3.2", "7.8"]


def test_shorten() -> None:
    assert shorten("short", 100) == "short"
    long = shorten("worst concave points of all", 100)
    assert long.startswith("worst")
    assert "…" in long
    assert long.endswith("all")
    assert len(long) * FONT * 0.4 < 100
    assert len(shorten("長い名前の列の名前", 50)) <= 5
    assert shorten("wide", 0) == "…"


def test_one_value_only() -> None:
    tree = Tree(1, task="value").fit([[1.0]], [2.0])
    assert "2" in [t.text for t in ElementTree.fromstring(tree.svg()).iter(f"{SVG}text")]
