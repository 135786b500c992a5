"""Which way an answer may go with each column: the constraint that users call monotone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput, by_name, did_you_mean
from limbeck.core.task import Task

__all__ = ["check_monotone", "directions"]


def check_monotone(monotone: Any) -> dict[Any, Any]:
    """The setting as a dict, its directions 1 or -1.

    Parameters
    ----------
    monotone : mapping from str to {-1, 1}, or None
        By names of columns.

    Raises
    ------
    InvalidInput
        If it is no mapping, or has another direction.
    """
    found = by_name("monotone", monotone, "{'age': 1}")
    for name, way in found.items():
        if isinstance(way, bool) or way not in (1, -1):
            raise InvalidInput(
                f"monotone[{name!r}] is {way!r}.", "Give 1 for rising or -1 for falling."
            )
    return found


def directions(
    features: Features, task: Task, monotone: Mapping[str, int] | None
) -> NDArray[np.int64]:
    """1, -1 or 0 for each of the d columns.

    Parameters
    ----------
    features : Features
        The columns.
    task : Task
        What is predicted: a value, or the probability of the second of two classes.
    monotone : mapping from str to {-1, 1}, or None
        By names of columns.

    Raises
    ------
    InvalidInput
        If a name is unknown or a category, or there are more than two classes.
    """
    at = {str(c.name): j for j, c in enumerate(features.columns)}
    found = np.zeros(len(at), dtype=np.int64)
    for name, way in check_monotone(monotone).items():
        if str(name) not in at:
            raise InvalidInput(f"There is no column {name!r}.", did_you_mean(str(name), at))
        if len(task.classes) > 2:
            raise InvalidInput(
                f"monotone was given for {len(task.classes)} classes, which have no order.",
                "Distil one class against the rest, or leave monotone out.",
            )
        if features.columns[at[str(name)]].kind == "categorical":
            raise InvalidInput(
                f"monotone names {name!r}, whose categories have no order.",
                "Give numbers for it, or leave it out.",
            )
        found[at[str(name)]] = way
    return found
