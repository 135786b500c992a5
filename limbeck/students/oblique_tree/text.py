"""An oblique tree in words: questions as sums of columns, leaves as linear functions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Features
from limbeck.core.contract import Task
from limbeck.students.oblique_tree.regions import RegionTree

__all__ = ["text"]

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
            lines.append(f"{indent}{answer}{_leaf(leaves[i], names, task)}")
            continue
        lines.append(f"{indent}{answer}{_sum(questions[i], names)} > 0?")
        below = indent + ("   " if answer else "")
        stack += [(int(tree.right[i]), below, "no:  "), (int(tree.left[i]), below, "yes: ")]
    if stack:
        lines.append(f"... {tree.size:,} regions in all")
    means = ", ".join(f"{name} {v:.4g}" for name, v in zip(names[:12], fill, strict=False))
    more = f" and {len(names) - 12} more" if len(names) > 12 else ""
    return "\n".join([*lines, f"A missing value counts as the mean: {means}{more}"])


def _sum(plane: NDArray[np.float64], names: list[str]) -> str:
    """The largest terms of a weighted sum, and its constant."""
    order = np.argsort(-np.abs(plane[:-1]), kind="stable")
    parts = [f"{plane[j]:+.3g} {names[j]}" for j in order[:_TERMS] if plane[j]]
    more = int((plane[:-1] != 0).sum()) - len(parts)
    rest = f" ... {more} more" if more > 0 else ""
    return f"{' '.join(parts)}{rest} {plane[-1]:+.3g}".strip()


def _leaf(outputs: NDArray[np.float64], names: list[str], task: Task) -> str:
    if not task.classifies:
        return _sum(outputs[0], names)
    if len(outputs) == 2:
        no, yes = task.classes
        return f"{yes} where {_sum(outputs[1] - outputs[0], names)} > 0, else {no}"
    return "the largest of " + "; ".join(
        f"{c}: {_sum(o, names)}" for c, o in zip(task.classes, outputs, strict=True)
    )
