"""What is learned: classes or values, and the weights of the rows, checked for all students."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput, did_you_mean
from limbeck.core.task import Task
from limbeck.data.labels import classes_of, encode_labels, label_array

__all__ = ["TaskLike", "predicts_classes", "read_target", "read_training", "read_weight"]

TaskLike = Task | Literal["classes", "value"] | None


def read_training(
    X: Any, y: Any, task: TaskLike, sample_weight: Any = None
) -> tuple[Features, NDArray[np.float64], Task, NDArray[Any], NDArray[np.float64]]:
    """Columns, encoded rows (n, d), the task, targets (n,) and weights (n,), as ``fit`` takes them.

    Parameters
    ----------
    X : array-like, DataFrame or Rows of shape (n, d)
        The rows; NaN is missing.
    y : array-like of shape (n,)
        Labels or values.
    task : Task, "classes", "value" or None
        What y holds; see `read_target`.
    sample_weight : array-like of shape (n,), optional
        Weights of the rows.

    Raises
    ------
    InvalidInput
        If the rows, targets or weights cannot be used.
    """
    features = Features.of(X)
    values = features.encode(X)
    read, target = read_target(y, len(values), task)
    return features, values, read, target, read_weight(sample_weight, len(values))


def read_target(y: Any, n: int, task: TaskLike) -> tuple[Task, NDArray[Any]]:
    """The task, and the targets as positions of classes or as values.

    Parameters
    ----------
    y : array-like of shape (n,)
        Labels (text, whole numbers, booleans, floats) or values.
    n : int
        The number of rows.
    task : Task, "classes", "value" or None
        What y holds; None takes fractions, and more than 100 different whole numbers, for values
        and all else for classes, as `limbeck.data.labels.classes_of` does.

    Returns
    -------
    task : Task
        With the classes sorted, unless a Task with classes, or pandas categories, were given.
    target : ndarray of shape (n,)
        Positions in ``task.classes`` (int64), or values (float64).

    Raises
    ------
    InvalidInput
        If y is not one-dimensional, of another length, holds missing values, or labels that
        are not among the classes of the task.
    """
    if y is None:
        raise InvalidInput(
            "fit requires y to be passed, but the target y is None.", "Give labels or values."
        )
    array = label_array(y)
    if len(array) != n:
        raise InvalidInput(
            f"y has shape {array.shape}, and X has {n} rows.", "Give one label or value a row."
        )
    if isinstance(task, str) and task not in ("classes", "value"):
        raise InvalidInput(f"There is no task {task!r}.", did_you_mean(task, ["classes", "value"]))
    if task == "value" or (isinstance(task, Task) and not task.classifies):
        return Task() if task == "value" else task, _values(array)
    if isinstance(task, Task):
        return task, encode_labels(array, task.classes, owner="the classes of the task")
    classes = classes_of(y)
    if classes is None and task is None:
        return Task(), _values(array)
    if classes is None:
        if not np.isfinite(array).all():
            raise InvalidInput("y holds inf, which is no class label.", "Drop those rows.")
        classes = tuple(np.unique(array).tolist())
    return Task(classes), encode_labels(array, classes)


def read_weight(weight: Any, n: int) -> NDArray[np.float64]:
    """Weights of shape (n,), 1 for all where none are given.

    Parameters
    ----------
    weight : array-like of shape (n,), number or None
        The argument ``sample_weight``.
    n : int
        Number of rows.

    Raises
    ------
    InvalidInput
        If there is not one finite weight of 0 or more a row, or their sum is 0.
    """
    if weight is None:
        return np.ones(n)
    array = np.asarray(weight, dtype=np.float64)
    if array.ndim == 0:
        array = np.full(n, float(array))
    if array.shape != (n,):
        raise InvalidInput(
            f"sample_weight has shape {array.shape}, and X has {n} rows.",
            "Give one weight per row.",
        )
    if not (np.isfinite(array).all() and (array >= 0).all() and array.sum() > 0):
        raise InvalidInput(
            "sample_weight holds a missing, infinite or negative weight, or zeros only.",
            "Give finite weights of 0 or more.",
        )
    return array


def predicts_classes(student: Any) -> bool | None:
    """Whether a student predicts classes, or None where only fit will tell."""
    task: TaskLike = getattr(student, "task_", student.task)
    if isinstance(task, Task):
        return task.classifies
    return None if task is None else task == "classes"


def _values(array: NDArray[Any]) -> NDArray[np.float64]:
    try:
        values = array.astype(np.float64)
    except (TypeError, ValueError):
        raise InvalidInput(
            f"y has dtype {array.dtype}, and values are numbers.", "For labels, use task='classes'."
        ) from None
    if not np.isfinite(values).all():
        raise InvalidInput("y holds a missing (NaN) or infinite value.", "Drop those rows.")
    return values
