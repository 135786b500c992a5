"""Whether a teacher's outputs are the classes that they were taken for."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.answers import ScoreKind
from limbeck.core.answers import answers as hard_answers
from limbeck.core.contract import Teacher
from limbeck.core.errors import InvalidInput
from limbeck.data.class_order import better_order

__all__ = ["check_order"]


def check_order(teacher: Teacher, X: Any, y: NDArray[np.int64]) -> str:
    """Compare a teacher's answers with labels, in every order of the classes.

    Parameters
    ----------
    teacher : Teacher
        Of classes.
    X : rows
        Some rows, in the form in which the teacher takes them.
    y : ndarray of shape (n,)
        Their labels, as places in the teacher's classes.

    Returns
    -------
    str
        Empty; or, where the order was no guess, a note that another one would fit the labels.

    Raises
    ------
    InvalidInput
        If the order was guessed and another is significantly better: names it.
    """
    classes = teacher.task.classes
    answers = hard_answers(teacher.scores(X), teacher.task).astype(np.int64)
    found = better_order(y, answers, len(classes))
    if found is None:
        return ""
    what = (
        f"{teacher.name} agrees with y on {found.right / found.rows:.1%} of {found.rows:,} rows,"
        f" significantly less than by chance (p = {found.p:.1g})"
    )
    turned = [classes[place] for place in found.order]
    then = f"on {found.right_then / found.rows:.1%}"
    if getattr(teacher, "order_guessed", False):
        raise InvalidInput(
            f"{what}; with the classes in the order {turned}, {then}. The order {list(classes)} was"
            " a guess.",
            f"Give classes={turned}; or classes={list(classes)} if it is y that is wrong.",
        )
    if teacher.score_kind is ScoreKind.LABEL:
        order = f"if {turned} were meant where it says {list(classes)}"
    else:
        order = f"with the classes in the order {turned}"
    return f"{what}; {order}, {then}. Check that y and the teacher name the classes alike."
