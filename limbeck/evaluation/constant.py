"""A student that is a constant, which a table of shares may hide, is called one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.status import Status
from limbeck.core.task import Task

__all__ = ["told_constant"]


def told_constant(
    status: Status,
    predicted: NDArray[Any],
    answers: NDArray[Any],
    task: Task,
    epsilon: float,
    reached: bool,
    unit: str = "leaves",
) -> Status:
    """A status that calls a student that is a constant by this name; any other as it is.

    Parameters
    ----------
    status : Status
        How the search ended.
    predicted : ndarray of shape (n,)
        The student's class indices or values on the rows that the search saw.
    answers : ndarray of shape (m,)
        The teacher's class indices or values on the holdout rows.
    task : Task
        Classes, or regression.
    epsilon : float
        What was asked for.
    reached : bool
        Whether the certificate reaches it.
    unit : str
        What the student's size counts: only a tree is helped by more leaves.
    """
    if (predicted != predicted[0]).any():
        return status
    meets = f"A constant {'meets' if reached else 'does not meet'} epsilon = {epsilon:g}"
    if task.classifies:
        share = float((answers == predicted[0]).mean())
        name = task.labels[predicted[0]]
        shown = repr(name.item() if isinstance(name, np.generic) else name)
        aside = f"all {len(answers):,} rows set aside"
        rows = f"{100 * share:.1f}% of rows" if share < 1 else aside
        said = f"{meets}: the teacher says {shown} on {rows}, and the student always does."
    else:
        said = f"{meets}: the student always says {float(predicted[0]):.4g}."
    if (answers == answers[0]).all():
        remedy = "Give more rows on which the teacher's answers differ."
    else:
        tree = unit == "leaves"
        larger = ", or set leaves" if reached else ", or allow more leaves"
        other = "" if reached else ", or another kind of student"
        remedy = (
            "For a student that tells rows apart ask for a smaller epsilon"
            f"{larger if tree else ', or give more rows'}{other}."
        )
    return replace(status, message=f"{said} {status.message}", remedy=remedy)
