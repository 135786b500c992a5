"""An oblique tree as a drawing: its questions and leaves in boxes, as other trees have them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.students.oblique_tree.regions import RegionTree
from limbeck.students.oblique_tree.text import leaf_words, sum_of
from limbeck.students.tree.drawing import BLUE
from limbeck.students.tree.folding import Drawn, folded
from limbeck.students.tree.layout import Piece
from limbeck.students.tree.nodes import Nodes

__all__ = ["drawn_regions"]

_LEAVES = 32  # that are drawn at most
_TERMS = 3  # of a sum that are written into a box


def drawn_regions(
    tree: RegionTree,
    questions: NDArray[np.float64],
    leaves: NDArray[np.float64],
    features: Features,
    task: Task,
) -> Drawn:
    """Texts of at most 32 regions, the largest three terms of each sum.

    Parameters
    ----------
    tree : RegionTree
        The m nodes.
    questions : ndarray of shape (m, d + 1)
        Weights of the columns, and a constant.
    leaves : ndarray of shape (m, k, d + 1)
        Outputs as linear functions of the columns.
    features : Features
        The d columns.
    task : Task
        What is predicted.
    """
    names, m = [str(c.name) for c in features.columns], len(tree.layer)
    texts, titles = [], []
    for i in range(m):
        if tree.layer[i] < 0:
            shown = leaf_words(leaves[i], names, task, _TERMS)
            titles.append(leaf_words(leaves[i], names, task))
        else:
            shown = [f"{sum_of(questions[i], names, _TERMS)} > 0?"]
            titles.append([f"{sum_of(questions[i], names)} > 0?"])
        texts.append([Piece(words, breaks=True) for words in shown])
    none, no = np.zeros(m), np.zeros(m, dtype=np.bool_)
    asks = np.where(tree.layer < 0, -1, 0).astype(np.int32)
    ops, value = np.zeros(m, dtype=np.uint8), np.zeros((m, 1))
    nodes = Nodes(asks, ops, none, no, tree.left, tree.right, value, none)
    whole = Drawn(nodes, texts, [" ".join(words) for words in titles], [BLUE] * m)
    part = folded(whole, _LEAVES)
    if part is whole:
        return whole
    return replace(part, note=f"Drawn is the top of a tree of {tree.size:,} regions.")
