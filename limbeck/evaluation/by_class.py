"""Agreement class by class: a rare class can be lost without a trace in the overall number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.certificates.binomial import interval
from limbeck.core.task import Task

__all__ = ["ClassAgreement", "ClassShare", "by_class", "never_predicted"]


@dataclass(frozen=True)
class ClassShare:
    """Of the rows of one class: how many a model answers alike, with the interval of the share.

    ``predicted`` counts all rows on which the model predicts the class; without rows there is no
    ``value``.
    """

    agreed: int
    value: float | None
    low: float
    high: float
    predicted: int


@dataclass(frozen=True)
class ClassAgreement:
    """The rows on which the teacher predicts one class.

    Parameters
    ----------
    label : str
        The class.
    rows : int
        Holdout rows on which the teacher predicts it.
    models : mapping from str to ClassShare
        By role, ``student`` and ``control``, and by name for baselines.
    """

    label: str
    rows: int
    models: Mapping[str, ClassShare]


def by_class(
    models: Sequence[tuple[str, NDArray[Any]]],
    teacher: NDArray[Any],
    task: Task,
    delta: float,
) -> tuple[ClassAgreement, ...]:
    """Agreement with the teacher for each class that it predicts.

    Parameters
    ----------
    models : sequence of (str, ndarray of shape (n,))
        Names and class indices.
    teacher : ndarray of shape (n,)
        The teacher's class indices.
    task : Task
        The classes; for regression there are none.
    delta : float
        One less the level of each interval (Clopper and Pearson 1934).

    Returns
    -------
    tuple of ClassAgreement
        In the order of the classes, without those that nobody predicts.
    """
    k = len(task.classes)
    if k == 0:
        return ()
    said = np.bincount(teacher, minlength=k)
    predicted = {name: np.bincount(p, minlength=k) for name, p in models}
    agreed = {name: np.bincount(teacher[p == teacher], minlength=k) for name, p in models}
    found = []
    for c, label in enumerate(task.classes):
        n = int(said[c])
        if n == 0 and not any(count[c] for count in predicted.values()):
            continue
        shares = {}
        for name in predicted:
            right = int(agreed[name][c])
            low, high = interval(right, n, delta) if n else (0.0, 1.0)
            value = right / n if n else None
            shares[name] = ClassShare(right, value, low, high, int(predicted[name][c]))
        found.append(ClassAgreement(str(label), n, shares))
    return tuple(found)


def never_predicted(classes: Sequence[ClassAgreement], n: int, unit: str = "leaves") -> str:
    """A warning about classes of the teacher that the student never predicts; empty for none.

    Parameters
    ----------
    classes : sequence of ClassAgreement
        With a model ``student``.
    n : int
        Holdout rows in all.
    unit : str
        What the student's size counts: only a tree is helped by more leaves.
    """
    lost = [c for c in classes if c.rows and c.models["student"].predicted == 0]
    if not lost:
        return ""
    shown = ", ".join(f"{c.label!r} ({c.rows:,} of {n:,} rows)" for c in lost[:5])
    more = f", and {len(lost) - 5} more classes" if len(lost) > 5 else ""
    larger = "more leaves" if unit == "leaves" else "more rows of it"
    return (
        f"The student never predicts {shown}{more}, which the teacher predicts on holdout rows."
        f" Give class_weight='balanced' or {larger}; groups='class' certifies each class."
    )
