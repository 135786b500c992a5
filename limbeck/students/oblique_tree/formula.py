"""An oblique tree as a formula."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task
from limbeck.students.formula import AtMost, Constant, Expression, Filled, Formula, If, Product, Sum
from limbeck.students.oblique_tree.regions import RegionTree

__all__ = ["formula"]

_MOST_REGIONS = 2000
Array = NDArray[np.float64]


def formula(
    tree: RegionTree, questions: Array, leaves: Array, fill: Array, features: Features, task: Task
) -> Formula:
    """Which region a row is in, by sums that are above 0 or not, and the linear function there.

    Parameters
    ----------
    tree : RegionTree
        The m nodes.
    questions, leaves : ndarray of shape (m, d + 1) and (m, k, d + 1)
        Weights and the constant of each question, and of each output in each leaf.
    fill : ndarray of shape (d,)
        What a missing value counts as.
    features : Features
        The d columns.
    task : Task
        What is predicted.

    Raises
    ------
    InvalidInput
        If there are more than 2,000 regions.
    """
    if tree.size > _MOST_REGIONS:
        raise InvalidInput(
            f"The tree has {tree.size:,} regions, and is written as a formula up to"
            f" {_MOST_REGIONS:,}.",
            "Save it as JSON, and predict with limbeck.",
        )
    scores = tuple(_score(tree, questions, leaves[:, c], fill) for c in range(leaves.shape[1]))
    return Formula(features, task, scores, "softmax" if task.classifies else "value")


def _score(tree: RegionTree, questions: Array, leaves: Array, fill: Array) -> Expression:
    made: dict[int, Expression] = {}
    for i in range(len(tree.layer) - 1, -1, -1):  # children come behind their parent
        if tree.layer[i] < 0:
            made[i] = _sum(leaves[i], fill)
        else:
            off, on = made.pop(int(tree.right[i])), made.pop(int(tree.left[i]))
            made[i] = If(AtMost(_sum(questions[i], fill), 0.0), off, on)
    return made[0]


def _sum(weights: Array, fill: Array) -> Expression:
    parts: list[Expression] = [
        Product(Filled(j, float(fill[j])), float(w)) for j, w in enumerate(weights[:-1]) if w
    ]
    return Sum((*parts, Constant(float(weights[-1]))))
