from __future__ import annotations

import numpy as np

from limbeck.core.column import Feature
from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.students.oblique_tree.tree import ObliqueTree


def test_questions_are_sums_and_leaves_say_which_class():
    layers = [
        (np.array([[1.0, -2.0]]), np.array([0.5])),
        (np.array([[0.0], [1.0]]), np.array([0.0, -1.0])),
    ]
    features = Features((Feature("age"), Feature("debt")))
    tree = ObliqueTree.from_layers(layers, features, Task(("no", "yes")), np.zeros(2))
    assert tree.text().splitlines() == [
        "-2 debt +1 age +0.5 > 0?",
        "yes: yes where -2 debt +1 age -0.5 > 0, else no",
        "no:  yes where -1 > 0, else no",
        "A missing value counts as the mean: age 0, debt 0",
    ]


def test_a_large_tree_is_cut_short():
    rng = np.random.default_rng(0)
    layers = [(rng.normal(size=(7, 20)), rng.normal(size=7)), (rng.normal(size=(1, 7)), np.ones(1))]
    features = Features(tuple(Feature(f"x{j}") for j in range(20)))
    text = ObliqueTree.from_layers(layers, features, Task(), np.zeros(20)).text()
    assert "... 128 regions in all" in text
    assert "12 more" in text
    assert "and 8 more" in text
