"""An oblique tree in words: questions as sums of columns, leaves as linear functions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.students.oblique_tree.regions import RegionTree

__all__ = ["leaf_words", "sum_of", "text"]

_LINES, _TERMS = 63, 8


def text(
    tree: RegionTree,
    questions: NDArray[np.float64],
    leaves: NDArray[np.float64],
    features: Features,
    task: Task,
    fill: NDArray[np.float64],
) -> str:
    """The first 63 lines of the tree, and what a missing value counts as.

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
    fill : ndarray of shape (d,)
        What stands for missing values.
    """
    names = [str(c.name) for c in features.columns]
    lines: list[str] = []
    stack = [(0, "", "")]
    while stack and len(lines) < _LINES:
        i, indent, answer = stack.pop()
        if tree.layer[i] < 0:
            lines.append(f"{indent}{answer}{' '.join(leaf_words(leaves[i], names, task))}")
            continue
        lines.append(f"{indent}{answer}{sum_of(questions[i], names)} > 0?")
        below = indent + ("   " if answer else "")
        stack += [(int(tree.right[i]), below, "no:  "), (int(tree.left[i]), below, "yes: ")]
    if stack:
        lines.append(f"... {tree.size:,} regions in all")
    means = ", ".join(f"{name} {v:.4g}" for name, v in zip(names[:12], fill, strict=False))
    more = f" and {len(names) - 12} more" if len(names) > 12 else ""
    return "\n".join([*lines, f"A missing value counts as the mean: {means}{more}"])


def sum_of(plane: NDArray[np.float64], names: list[str], terms: int = _TERMS) -> str:
    """The largest terms of a weighted sum, and its constant.

    Parameters
    ----------
    plane : ndarray of shape (d + 1,)
        Weights of the columns, and a constant.
    names : list of d str
        The columns.
    terms : int
        The most terms.
    """
    order = np.argsort(-np.abs(plane[:-1]), kind="stable")
    used = int((plane[:-1] != 0).sum())
    terms += used == terms + 1  # "1 more" is no shorter than the term
    parts = [f"{plane[j]:+.3g} {names[j]}" for j in order[:terms] if plane[j]]
    more = used - len(parts)
    rest = f" ... {more} more" if more > 0 else ""
    return f"{' '.join(parts)}{rest} {plane[-1]:+.3g}".strip()


def leaf_words(
    outputs: NDArray[np.float64], names: list[str], task: Task, terms: int = _TERMS
) -> list[str]:
    """What a leaf predicts, in parts: one, or a sum a class.

    Parameters
    ----------
    outputs : ndarray of shape (k, d + 1)
        Linear functions of the columns.
    names : list of d str
        The columns.
    task : Task
        What is predicted.
    terms : int
        The most terms of a sum.
    """
    if not task.classifies:
        return [sum_of(outputs[0], names, terms)]
    if len(outputs) == 2:
        no, yes = task.classes
        return [f"{yes} where {sum_of(outputs[1] - outputs[0], names, terms)} > 0, else {no}"]
    said = [f"{c}: {sum_of(o, names, terms)}" for c, o in zip(task.classes, outputs, strict=True)]
    return ["the largest of", *(f"{s};" for s in said[:-1]), said[-1]]
