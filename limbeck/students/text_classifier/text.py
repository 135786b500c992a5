"""The n-grams that decide, for each class, in words."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.task import Task

__all__ = ["Deciding", "deciding", "described"]

Deciding = dict[str, list[tuple[str, float]]]
"""For each class the n-grams that speak most for it with their weights; of values two ends."""

_SHOWN = 15


def deciding(
    terms: list[str], weights: NDArray[np.float64], task: Task, most: int = _SHOWN
) -> Deciding:
    """The n-grams with the largest weights, for each class.

    Of more than two classes a weight is counted from the mean over the classes, since adding the
    same number to all changes nothing.

    Parameters
    ----------
    terms : list of p str
        The n-grams, as they are shown.
    weights : ndarray of shape (p, 1) or (p, k)
        Their weights.
    task : Task
        What is predicted.
    most : int
        N-grams shown for each class.
    """
    if task.classifies and len(task.classes) > 2:
        columns = (weights - weights.mean(axis=1, keepdims=True)).T
        names = [str(c) for c in task.classes]
    elif task.classifies:
        columns = np.stack([-weights[:, 0], weights[:, 0]])
        names = [str(c) for c in task.classes]
    else:
        columns, names = np.stack([weights[:, 0], -weights[:, 0]]), ["higher", "lower"]
    found: Deciding = {}
    for name, column in zip(names, columns, strict=True):
        order = np.argsort(-column, kind="stable")[:most]
        found[name] = [(terms[i], float(column[i])) for i in order if column[i] > 0]
    return found


def described(found: Deciding, student: Any) -> str:
    """A table of the n-grams that decide, and how an answer comes about.

    Parameters
    ----------
    found : dict
        What `deciding` returned.
    student : TextClassifier
        Whose they are.
    """
    task = student.task_
    lines: list[str] = []
    for name, terms in found.items():
        head = f"for {name}" if task.classifies else f"for a {name} value"
        lines += [head, *(f"  {weight:+8.3f}  {term}" for term, weight in terms), ""]
    families = " and ".join(f"{len(f):,} n-grams of {f.unit}" for f in student.families_)
    of = (
        ", those of each unit divided by the square root of 2" if len(student.families_) > 1 else ""
    )
    total = (
        "The class with the largest sum is the answer."
        if task.classifies
        else "The value is the sum."
    )
    levels = ", ".join(f"{v:+.3f}" for v in student.model_.intercept)
    return "\n".join([
        *lines,
        f"{families}. “…” are characters, with their spaces.",
        f"An n-gram that occurs c times counts (1 + ln c) idf; all are divided by their"
        f" length{of}.",
        f"Each number times its weight is added to the level ({levels}). {total}",
    ])  # fmt: skip
