"""How much the rows of each class count."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.errors import InvalidInput, by_name, did_you_mean
from limbeck.core.task import Task

__all__ = ["ClassWeight", "class_weights", "weighted_by_class"]

ClassWeight = Mapping[Any, float] | str | None
"""``"balanced"``, or a weight by class (1 for those that are not named)."""


def class_weights(
    class_weight: ClassWeight,
    task: Task,
    codes: NDArray[Any],
    sample_weight: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """A weight for each class.

    Parameters
    ----------
    class_weight : "balanced", mapping or None
        ``"balanced"`` gives all classes that occur the same weight in sum, as in scikit-learn:
        n / (k n_c) for the n_c of n rows in class c, one of the k that occur.
    task : Task
        The classes.
    codes : ndarray of shape (n,)
        The class of each row, as a place in the classes.
    sample_weight : ndarray of shape (n,), optional
        How much each row counts otherwise.

    Returns
    -------
    ndarray of shape (k,)

    Raises
    ------
    InvalidInput
        If a number is predicted, a class is unknown, or a weight is no positive number.
    """
    if class_weight is None:
        return np.ones(len(task.classes))
    if not task.classifies:
        raise InvalidInput(
            f"class_weight is {class_weight!r}, and a number is predicted.", "Leave it out."
        )
    if isinstance(class_weight, str):
        if class_weight != "balanced":
            raise InvalidInput(
                f"class_weight is {class_weight!r}.", "Give 'balanced', or a weight by class."
            )
        mass = np.bincount(codes, weights=sample_weight, minlength=len(task.classes))
        occur = mass > 0
        return np.where(occur, mass.sum() / (occur.sum() * np.where(occur, mass, 1.0)), 1.0)
    out = np.ones(len(task.classes))
    place = {c: i for i, c in enumerate(task.classes)}
    for label, weight in by_name("class_weight", class_weight, "{'yes': 2.0}").items():
        if label not in place:
            raise InvalidInput(
                f"class_weight names {label!r}, which is no class of the teacher.",
                did_you_mean(str(label), map(str, task.classes)),
            )
        if not (isinstance(weight, Real) and np.isfinite(float(weight)) and float(weight) > 0):
            raise InvalidInput(
                f"The class_weight of {label!r} is {weight!r}.", "Give a number above 0."
            )
        out[place[label]] = float(weight)
    return out


def weighted_by_class(
    class_weight: ClassWeight,
    task: Task,
    codes: NDArray[Any],
    weight: NDArray[np.float64],
) -> tuple[NDArray[np.float64] | None, NDArray[np.float64]]:
    """The weight of each class, if they count differently, and each row's weight times it.

    Parameters
    ----------
    class_weight, task, codes
        As for `class_weights`.
    weight : ndarray of shape (n,)
        How much each row counts otherwise.

    Returns
    -------
    by_class : ndarray of shape (k,) or None
        None without ``class_weight``.
    weight : ndarray of shape (n,)
    """
    if class_weight is None:
        return None, weight
    by_class = class_weights(class_weight, task, codes, weight)
    return by_class, weight * by_class[codes]
