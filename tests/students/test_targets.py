from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task
from limbeck.students.targets import read_target, read_weight


@pytest.mark.parametrize(
    ("y", "classes", "kind"),
    [
        (["b", "a"], ("a", "b"), "U"),
        ([3, 1], (1, 3), "i"),
        ([True, False], (False, True), "b"),
        (pd.Series(["b", "a"], dtype="category"), ("a", "b"), "U"),
        (np.array([["b"], ["a"]]), ("a", "b"), "U"),
    ],
)
def test_classes(y: Any, classes: tuple[Any, ...], kind: str) -> None:
    task, target = read_target(y, 2, None)
    assert task == Task(classes)
    assert target.tolist() == [1, 0]
    assert [type(c) for c in task.classes] == [type(c) for c in classes]
    assert task.labels.dtype.kind == kind


def test_fractions_are_values_unless_said_otherwise() -> None:
    assert read_target([1.0, 2.5], 2, None)[0] == Task()
    assert read_target([0.0, 1.0], 2, None)[0] == Task((0, 1))
    assert read_target([1.5, 2.0], 2, "classes")[0] == Task((1.5, 2.0))
    assert read_target([1.0, 2.0], 2, "classes")[0] == Task((1.0, 2.0))
    assert read_target([1, 2], 2, "value")[1].dtype == np.float64
    assert read_target([1, 2], 2, Task(unit="kg"))[0] == Task(unit="kg")


def test_task_gives_the_order() -> None:
    task = Task(("z", "a"))
    assert read_target(["a", "z"], 2, task)[1].tolist() == [1, 0]


@pytest.mark.parametrize(
    ("y", "task", "message"),
    [
        (None, None, "y is None"),
        (["a"], None, "shape"),
        ([["a", "b"], ["a", "b"]], None, "shape"),
        (["a", "b"], "value", "dtype"),
        ([1.0, float("nan")], None, "NaN"),
        ([1.0, float("inf")], "classes", "inf"),
        (np.array(["a", None], dtype=object), None, "None"),
        (np.array(["a", 1], dtype=object), None, "mixes"),
        (["a", "yess"], Task(("a", "yes")), "Did you mean 'yes'"),
        (["a", "b"], "class", "no task 'class'"),
    ],
)
def test_refuses_targets(y: Any, task: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        read_target(y, 2, task)


def test_weights() -> None:
    assert read_weight(None, 2).tolist() == [1, 1]
    assert read_weight([0, 2], 2).tolist() == [0, 2]
    for bad in ([1], [1, -1], [0, 0], [1, np.nan], [[1, 1]]):
        with pytest.raises(InvalidInput, match="sample_weight"):
            read_weight(bad, 2)
