"""How labels are read, for tables, networks, certificates and audits alike.

Labels come as lists, arrays, pandas columns or tensors, of text, whole numbers, booleans or
categories; ``1``, ``1.0`` and ``True`` are one label, as in Python. None, NaN, NaT and NA are
missing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.errors import InvalidInput, did_you_mean
from limbeck.core.task import Label, Task

__all__ = [
    "MOST_CLASSES",
    "UNLABELLED",
    "as_classes",
    "class_codes",
    "classes_of",
    "encode_labels",
    "is_label",
    "is_missing",
    "label_array",
    "positions",
    "read_labels",
]

MOST_CLASSES = 100
"""More different whole numbers than this are amounts, not classes."""

UNLABELLED = (-1, -100)
"""What means "no label" beside missing values, by the custom of torch and scikit-learn."""


def label_array(y: Any, what: str = "y") -> NDArray[Any]:
    """Labels as a numpy array, of their own type where they share one.

    Parameters
    ----------
    y : array-like of shape (n,) or (n, 1)
        A list, array, pandas column (also of categories), or tensor.
    what : str
        What they are called in messages.

    Returns
    -------
    ndarray of shape (n,)
        Missing values are kept, in an array of objects where the type has none.

    Raises
    ------
    InvalidInput
        If there is not one label per row.
    """
    if hasattr(y, "detach"):  # a tensor
        y = y.detach().cpu().numpy()
    # Without a type of its own a list such as ["a", None] or ["a", 1] would all become text.
    array = np.asarray(y, dtype=None if hasattr(y, "dtype") else object)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise InvalidInput(f"{what} has shape {array.shape}.", "Give one label or value a row.")
    if array.dtype == object:
        kinds = {type(v) for v in array}
        numbers = all(issubclass(k, int | float | np.number) for k in kinds)
        if numbers or (len(kinds) == 1 and issubclass(*kinds, str)):  # type: ignore[call-arg]
            array = np.array(array.tolist())
    return array


def is_missing(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Which labels are None, NaN, NaT or NA, in the shape of the labels."""
    if values.dtype.kind in "fcMm":
        return np.asarray(np.isnat(values) if values.dtype.kind in "Mm" else np.isnan(values))
    if values.dtype != object:
        return np.zeros(values.shape, dtype=np.bool_)
    names = ("NAType", "NaTType")  # pandas' own marks, without importing pandas
    found = [
        v is None
        or type(v).__name__ in names
        or (isinstance(v, float | np.floating) and math.isnan(v))
        for v in values.ravel()
    ]
    return np.array(found, dtype=np.bool_).reshape(values.shape)


def is_label(value: Any) -> bool:
    """Whether a value is text, a whole number, a boolean or a finite float."""
    return isinstance(value, Label) and not (isinstance(value, float) and not math.isfinite(value))


def as_classes(classes: Any, what: str = "classes") -> tuple[Label, ...]:
    """Classes that were given, as Python's own values.

    Parameters
    ----------
    classes : sequence of labels or int
        The classes in the order of the scores, or their number.
    what : str
        What they are called in messages.

    Raises
    ------
    InvalidInput
        If there are fewer than two, one stands twice, or one is missing.
    """
    given = range(classes) if isinstance(classes, int) else classes
    labels = tuple(c.item() if isinstance(c, np.generic) else c for c in given)
    if len(labels) == 1:
        raise InvalidInput(
            f"{what} is {list(labels)}: with one class there is nothing to tell apart.",
            "Give labels of at least two different classes, or name all that the teacher knows"
            " by classes=.",
        )
    if len(labels) < 2 or not all(map(is_label, labels)) or len(set(labels)) != len(labels):
        raise InvalidInput(f"{what} is {list(labels)[:8]}.", "Give at least two different classes.")
    return labels


def classes_of(
    y: Any, *, unlabelled: Sequence[Any] = (), what: str = "y"
) -> tuple[Label, ...] | None:
    """The classes in labels, or None where these are numbers to be predicted.

    Text, booleans and categories are classes. So are at most 100 different whole numbers, also
    when they are stored as floats, unless there are more than two and most stand once. Fractions,
    and more than 100 different whole numbers, are numbers.

    Parameters
    ----------
    y : array-like of shape (n,)
        The labels; missing ones are passed over.
    unlabelled : sequence
        Values that mean "no label", such as -1 and -100.
    what : str
        What they are called in messages.

    Returns
    -------
    tuple of labels or None
        Sorted; pandas categories in their own order, those that occur. Whole floats as integers.

    Raises
    ------
    InvalidInput
        If labels are of different types, or no labels at all, such as dates.
    """
    values = label_array(y, what)
    values = values[~is_missing(values)]
    if unlabelled:
        values = values[class_codes(values, tuple(unlabelled)) < 0]
    if values.dtype.kind == "f" and np.isinf(values).any():
        return None
    different = _different(values, what)
    bad = next((v for v in different if not is_label(v)), None)
    if bad is not None:
        raise InvalidInput(
            f"{bad!r} in {what} is no class label.",
            "Use text, whole numbers or booleans.",
        )
    order = getattr(getattr(y, "dtype", None), "categories", None)
    if order is not None:
        place = {c: i for i, c in enumerate(order.tolist())}
        return tuple(sorted(different, key=place.__getitem__))
    if not any(isinstance(v, str | bool) for v in different):
        k = len(different)
        once = any(isinstance(v, float) for v in different) and 2 < k > len(values) / 2
        if k > MOST_CLASSES or once or any(v != math.floor(v) for v in different):
            return None
        different = [int(v) for v in different]
    return tuple(different)


def class_codes(values: NDArray[Any], classes: Sequence[Any]) -> NDArray[np.int64]:
    """The place of each label among the classes, -1 for those that are none of them.

    Parameters
    ----------
    values : ndarray of any shape
        Labels as `label_array` gives them.
    classes : sequence of labels
        In the order of the codes.

    Returns
    -------
    ndarray of int64, in the shape of ``values``
    """
    code = {label: i for i, label in enumerate(classes)}
    if values.dtype == object:
        found = [code.get(v, -1) if is_label(v) else -1 for v in map(_plain, values.ravel())]
        return np.array(found, dtype=np.int64).reshape(values.shape)
    different, inverse = np.unique(values, return_inverse=True)
    codes = np.array([code.get(v, -1) for v in different.tolist()], dtype=np.int64)
    return codes[inverse].reshape(values.shape)


def encode_labels(
    y: Any,
    classes: Sequence[Any],
    *,
    unlabelled: Sequence[Any] | None = None,
    what: str = "y",
    owner: str = "the teacher's classes",
) -> NDArray[np.int64]:
    """Labels as places among the classes.

    Parameters
    ----------
    y : array-like of shape (n,)
        The labels.
    classes : sequence of labels
        The classes in their order; for labels that are places already, ``range(k)``.
    unlabelled : sequence, optional
        Values that mean "no label" unless they are classes, such as `UNLABELLED`. With a
        sequence (it may be empty) rows without a label get -1; without one they are refused.
    what, owner : str
        What the labels and the classes are called in messages.

    Returns
    -------
    ndarray of shape (n,), int64
        The place in ``classes``; -1 for rows without a label.

    Raises
    ------
    InvalidInput
        If a label is missing, or none of the classes.
    """
    values = label_array(y, what)
    codes = class_codes(values, classes)
    missing = is_missing(values)
    if unlabelled is None and missing.any():
        _check_missing(missing, what)
    unknown = (codes < 0) & ~missing
    if unlabelled:
        unknown &= class_codes(values, tuple(unlabelled)) < 0
    if unknown.any():
        label = _plain(values[unknown][0])
        if class_codes(values[unknown], UNLABELLED)[0] >= 0:
            raise InvalidInput(
                f"The label {label!r} in {what} is not one of {owner}.",
                "Drop the rows without a label; or name it in classes=[...] if it is a class.",
            )
        kinds = sorted({type(c).__name__ for c in classes})
        shown = [type(label).__name__, *kinds]
        raise InvalidInput(
            f"The label {label!r} in {what} is not one of {owner}"
            + (f" ({shown[0]}, not {' or '.join(shown[1:])})." if shown[0] not in kinds else "."),
            did_you_mean(str(label), map(str, classes)),
        )
    return codes


def read_labels(y: Any, n: int, what: str = "y", *, missing: bool = False) -> NDArray[Any] | None:
    """Labels as an array (n,), or None where there are none.

    Parameters
    ----------
    y : array-like of shape (n,) or None
        The labels.
    n : int
        The number of rows.
    what : str
        What they are called in messages.
    missing : bool
        Whether some may be missing.

    Raises
    ------
    InvalidInput
        If the length differs; if a label is missing and none may be, or all are.
    """
    if y is None:
        return None
    shape = tuple(y.shape if hasattr(y, "shape") else np.asarray(y, dtype=object).shape)
    if len(shape) not in (1, 2) or shape[0] != n or shape[1:] not in ((), (1,)):
        wide = len(shape) == 2 and shape[0] == n and shape[1] > 1
        raise InvalidInput(
            f"{what} has shape {shape}, and there are {n} rows.",
            f"Give one per row; of one column a class, {what}.argmax(axis=1) is the class."
            if wide
            else "Give one per row.",
        )
    array = label_array(y, what)
    absent = is_missing(array)
    if absent.any() and (absent.all() or not missing):
        _check_missing(absent, what)
    return array


def positions(y: NDArray[Any] | None, task: Task) -> NDArray[Any] | None:
    """Labels as class indices (int64; -1 for those that mean "no label"), or values (float64).

    Parameters
    ----------
    y : ndarray of shape (n,) or None
        The labels; -1, -100 (unless they are classes) and missing ones mean "no label".
    task : Task
        The classes, or regression.

    Raises
    ------
    InvalidInput
        If a label is not among the teacher's classes.
    """
    if y is None:
        return None
    if task.classifies:
        return encode_labels(y, task.classes, unlabelled=UNLABELLED)
    if (missing := is_missing(y)).any():
        _check_missing(missing, "y")
    try:
        values: NDArray[np.float64] = y.astype(np.float64)
    except (TypeError, ValueError):
        raise InvalidInput(
            f"y has dtype {y.dtype}, and the teacher predicts numbers.", "Give numbers."
        ) from None
    if not np.isfinite(values).all():
        raise InvalidInput("y holds an infinite value.", "Drop those rows, or leave y out.")
    return values


def _different(values: NDArray[Any], what: str) -> list[Any]:
    """The different values, sorted, as Python's own."""
    try:
        if values.dtype == object:
            return sorted({_plain(v) for v in values.tolist()})
        found: list[Any] = np.unique(values).tolist()
    except TypeError:
        raise InvalidInput(
            f"{what} mixes labels of different types, such as text and numbers.",
            "Give all as text or all as numbers.",
        ) from None
    return found


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _check_missing(missing: NDArray[np.bool_], what: str) -> None:
    raise InvalidInput(
        f"{int(missing.sum())} labels in {what} are missing (NaN or None).",
        "Drop those rows, or leave the labels out.",
    )
