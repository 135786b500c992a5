"""Which of the teacher's mistakes a student makes too, class by class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.certificates.binomial import interval
from limbeck.core.measured import Measured
from limbeck.core.task import Task

__all__ = ["InheritedMistakes", "inherited_mistakes"]


@dataclass(frozen=True)
class InheritedMistakes:
    """The rows that people give one class.

    Parameters
    ----------
    label : str
        The class; ``all`` for all rows.
    rows : int
        Holdout rows of that label.
    teacher_wrong : int
        Those on which the teacher gives another.
    inherited : mapping from str to Measured
        By model, ``student`` and ``control``: the share of those on which it gives the teacher's
        wrong class. What the control has too, a student has without learning from the teacher.
    own : mapping from str to Measured
        By model, the share wrong of the rows on which the teacher is right.
    """

    label: str
    rows: int
    teacher_wrong: int
    inherited: Mapping[str, Measured]
    own: Mapping[str, Measured]


def inherited_mistakes(
    models: Mapping[str, NDArray[Any]],
    teacher: NDArray[Any],
    y: NDArray[Any],
    task: Task,
    delta: float,
) -> tuple[InheritedMistakes, ...]:
    """Mistakes that models share with the teacher: of all rows, then by the class of the label.

    Parameters
    ----------
    models : mapping from str to ndarray of shape (n,)
        Class indices by name.
    teacher, y : ndarray of shape (n,)
        Class indices; labels are -1 where there is none.
    task : Task
        The classes.
    delta : float
        One less the level of each interval (Clopper and Pearson 1934).

    Examples
    --------
    >>> task, y = Task(("no", "yes")), np.array([0, 0, 1, 1])
    >>> found = inherited_mistakes({"student": np.array([1, 0, 0, 1])}, y[::-1], y, task, 0.05)
    >>> found[0].teacher_wrong, found[0].inherited["student"].value
    (4, 0.5)
    """
    known = np.flatnonzero(y >= 0)
    teacher, y = teacher[known], y[known]
    own = {name: said[known] for name, said in models.items()}
    groups = [("all", np.ones(len(y), bool))]
    groups += [(str(label), y == c) for c, label in enumerate(task.classes)]
    found = []
    for label, rows in groups:
        if not rows.any():
            continue
        wrong, right = rows & (teacher != y), rows & (teacher == y)
        found.append(
            InheritedMistakes(
                label,
                int(rows.sum()),
                int(wrong.sum()),
                {name: _share(said[wrong] == teacher[wrong], delta) for name, said in own.items()},
                {name: _share(said[right] != y[right], delta) for name, said in own.items()},
            )
        )
    return tuple(found)


def _share(hits: NDArray[np.bool_], delta: float) -> Measured:
    n, k = len(hits), int(hits.sum())
    if not n:
        return Measured(float("nan"), 0.0, 1.0)
    return Measured(k / n, *interval(k, n, delta))
