"""Rows without a label: where -1 and -100 say so, where they may be labels, and what is told.

By the custom of scikit-learn's semi-supervised learning (-1) and torch's cross entropy (-100).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from limbeck.core.errors import InvalidInput
from limbeck.core.task import Label, Task
from limbeck.data.labels import (
    UNLABELLED,
    class_codes,
    classes_of,
    is_missing,
    label_array,
    positions,
)

__all__ = [
    "check_labelled",
    "check_shifted",
    "label_codes",
    "marked_classes",
    "unlabelled_note",
    "with_none",
]

_FEWEST = 10  # labels on either side of the split; fewer train and score nothing


def marked_classes(y: Any, what: str = "y") -> tuple[tuple[Label, ...] | None, tuple[int, ...]]:
    """The classes in labels of which -1 or -100 may mean "no label", and which of these do.

    They do beside names, and beside two or more whole numbers from 0 on; elsewhere, as beside a
    single class or beside fractions, they count as labels.

    Parameters
    ----------
    y : array-like of shape (n,)
        The labels.
    what : str
        What they are called in messages.

    Returns
    -------
    tuple of (tuple of labels or None, tuple of int)
        The classes as `classes_of` finds them, without the marks; and the marks, often none.
    """
    values = label_array(y, what)
    marks = tuple(mark for mark in UNLABELLED if (class_codes(values, (mark,)) >= 0).any())
    own = classes_of(y, unlabelled=UNLABELLED, what=what) if marks else None
    if own and (len(own) > 1 or isinstance(own[0], str)) and not any(_negative(c) for c in own):
        return own, marks
    return classes_of(y, what=what), ()


def check_shifted(kinds: Sequence[Any], classes: Sequence[Any]) -> None:
    """Refuse -1 where it may be a class: where, with it, labels are as many as the classes.

    So -1 and 1 may be two classes, and -1, 0, 1 may be three.

    Parameters
    ----------
    kinds : sequence of labels
        The different labels, without missing ones.
    classes : sequence of labels
        The model's classes.

    Raises
    ------
    InvalidInput
        With both readings.
    """
    mark, never = UNLABELLED
    held = set(kinds) - ({never} - set(classes))
    if mark not in held or mark in classes or len(held) != len(classes):
        return
    if any(isinstance(v, str | bool) for v in held):
        return  # beside names a number is none
    shown = ", ".join(f"{v:g}" for v in sorted(held)[:6])
    k = len(classes)
    own = f"from 0 to {k - 1}" if list(classes) == list(range(k)) else f"as {list(classes)[:6]}"
    raise InvalidInput(
        f"Labels are {shown}, for {k} classes: -1 may be a class, or mean no label.",
        f"Number classes {own}, and give -100 for rows without a label.",
    )


def check_labelled(y: NDArray[Any] | None) -> None:
    """Refuse labels of 0 and 1 beside -1 or -100, which may be numbers or mean "no label".

    Parameters
    ----------
    y : ndarray of shape (n,) or None
        Labels that are taken for numbers.

    Raises
    ------
    InvalidInput
        With the value and how often it stands there.
    """
    if y is None or y.dtype.kind not in "iufO":
        return
    absent = class_codes(y, UNLABELLED) >= 0
    if absent.any() and (class_codes(y[~absent], (0, 1)) >= 0).all() and not absent.all():
        value = y[absent][0].item() if hasattr(y[absent][0], "item") else y[absent][0]
        raise InvalidInput(
            f"y holds {value!r} in {int(absent.sum()):,} rows beside 0 and 1, which may be a number"
            " or mean that there is no label.",
            "Drop the rows without a label, or give regression=True.",
        )


def label_codes(
    fit: NDArray[Any] | None, test: NDArray[Any] | None, task: Task
) -> tuple[NDArray[Any] | None, NDArray[Any] | None]:
    """Labels of both sides of a split as class indices, -1 for rows without one; or values.

    Parameters
    ----------
    fit, test : ndarray of shape (n,) or None
        The labels of the rows for the method, and of those set aside.
    task : Task
        The classes, or regression.

    Raises
    ------
    InvalidInput
        If -1 may be a class; if a label is none of the classes; if rows have none and fewer than
        10 on either side have one.
    """
    if fit is None or test is None or not task.classifies:
        return positions(fit, task), positions(test, task)
    check_shifted([*_different(fit), *_different(test)], task.classes)
    codes = positions(fit, task), positions(test, task)
    for side, what in zip(codes, ("left to train the control", "set aside"), strict=True):
        assert side is not None  # noqa: S101  (labels were given)
        labelled = int((side >= 0).sum())
        if labelled < min(_FEWEST, len(side)):
            raise InvalidInput(
                f"Of {len(side):,} rows {what}, {labelled} have a label; -1, -100 and missing ones"
                " are none.",
                f"Give labels for {_FEWEST} on either side of the split, or leave y out.",
            )
    return codes


def with_none(y: NDArray[Any] | None) -> NDArray[Any] | None:
    """Names (n,) with None for -1 and -100, so that a file holds one type; others as they are."""
    if y is None or y.dtype != object or not any(isinstance(v, str) for v in y.tolist()):
        return y
    out = y.copy()
    out[class_codes(y, UNLABELLED) >= 0] = None
    return out


def unlabelled_note(*codes: NDArray[Any] | None, task: Task) -> str:
    """What is said of rows without a label; empty where all have one.

    Parameters
    ----------
    *codes : ndarray of shape (n,) or None
        As `label_codes` gives them.
    task : Task
        The classes; numbers always are labels.
    """
    sides = [side for side in codes if side is not None]
    none = sum(int((side < 0).sum()) for side in sides) if task.classifies else 0
    if not none:
        return ""
    return (
        f"{none:,} of {sum(map(len, sides)):,} rows have no label (-1, -100 or missing in y): they"
        " teach the student and count for agreement and certificate; the control learns from the"
        " others, and all that is measured on the labels leaves them out."
    )


def _different(y: NDArray[Any]) -> list[Any]:
    return list(set(y[~is_missing(y)].tolist()))


def _negative(label: Label) -> bool:
    return not isinstance(label, str) and label < 0
