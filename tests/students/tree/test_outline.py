from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np

from limbeck.students.tree.tree import Tree

X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]] * 5)
Y = ["<b>", "b", "b", "b"] * 5


class Reader(HTMLParser):
    def __init__(self, source: str) -> None:
        super().__init__()
        self.path: list[str] = []
        self.depth = 0
        self.leaves: list[tuple[int, str]] = []
        self.inside = False
        self.feed(source)
        self.close()
        assert self.path == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.path.append(tag)
        if dict(attrs).get("class") == "leaf":
            self.leaves.append((self.path.count("ul"), ""))
            self.inside = True

    def handle_endtag(self, tag: str) -> None:
        assert self.path.pop() == tag
        self.inside = self.inside and "li" in self.path and tag != "li"

    def handle_data(self, data: str) -> None:
        if self.inside:
            depth, said = self.leaves[-1]
            self.leaves[-1] = (depth, said + data)


def test_leaves_stand_at_their_depth_in_the_order_of_the_rules() -> None:
    tree = Tree(3).fit(X, Y)
    read = Reader(tree.outline())
    assert [depth for depth, _ in read.leaves] == [
        int(tree.nodes_.depths[i]) for i in tree.nodes_.preorder() if tree.nodes_.feature[i] < 0
    ]
    outcomes = [re.search(r"THEN (.*?) \(", rule)[1] for rule in tree.rules()]  # type: ignore[index]
    said = [text.split(":")[0].split(" ")[-1] for _, text in read.leaves]
    assert said == outcomes


def test_names_are_text_and_every_branch_folds() -> None:
    tree = Tree(4).fit(X, Y)
    page = tree.outline()
    assert "<b>:" not in page
    assert "&lt;b&gt;: 1" in page
    assert page.count("<details") == tree.size - 1
    assert page.count("<i>yes</i>") == page.count("<i>no</i>") == tree.size - 1


def test_a_single_leaf() -> None:
    assert "2" in Tree(1, task="value").fit([[1.0]], [2.0]).outline()
