"""Labels are read in one way, in whatever form they come."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from limbeck.certificates.losses import encode_answers
from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task
from limbeck.data.labels import (
    UNLABELLED,
    as_classes,
    class_codes,
    classes_of,
    encode_labels,
    is_missing,
    label_array,
    positions,
    read_labels,
)
from limbeck.students.targets import read_target
from limbeck.teachers import CallableTeacher, StoredScores, as_teacher

BINARY: dict[str, Any] = {
    "ints": [0, 1, 1, 0],
    "floats": [0.0, 1.0, 1.0, 0.0],
    "float32": np.array([0, 1, 1, 0], np.float32),
    "booleans": [False, True, True, False],
    "column": [[0], [1], [1], [0]],
    "int8": np.array([0, 1, 1, 0], np.int8),
    "objects": np.array([0, 1.0, True, 0], dtype=object),
    "Int64": pd.Series([0, 1, 1, 0], dtype="Int64"),
    "boolean": pd.Series([False, True, True, False], dtype="boolean"),
    "categories of numbers": pd.Series([0, 1, 1, 0], dtype="category"),
}


@pytest.mark.parametrize("y", BINARY.values(), ids=BINARY)
def test_every_reader_takes_zeros_and_ones_for_the_same_two_classes(y: Any) -> None:
    expected = [0, 1, 1, 0]
    assert classes_of(y) == (0, 1)
    assert read_target(y, 4, None)[0] == Task((0, 1))
    assert read_target(y, 4, None)[1].tolist() == expected
    assert encode_labels(y, (0, 1)).tolist() == expected
    assert encode_labels(y, (False, True)).tolist() == expected
    read = read_labels(y, 4)
    assert positions(read, Task((0, 1))).tolist() == expected  # type: ignore[union-attr]
    assert encode_answers(y, 4, Task((0, 1)))[1].tolist() == expected
    X = np.arange(4.0)[:, None]
    stored = StoredScores(X, y)
    assert stored.task == Task((0, 1))
    assert stored.scores(X).argmax(axis=1).tolist() == expected
    assert as_teacher(lambda X: X, y).task == Task((0, 1))
    told = CallableTeacher(lambda X: np.asarray(y).ravel(), classes=[0, 1])
    assert told.scores(X).argmax(axis=1).tolist() == expected


@pytest.mark.torch
def test_tensors_are_read_as_arrays_are() -> None:
    torch = pytest.importorskip("torch")
    for dtype in (torch.float32, torch.int64, torch.bool):
        y = torch.tensor([0, 1, 1, 0]).to(dtype)
        assert classes_of(y) == (0, 1)
        assert encode_labels(y.requires_grad_(dtype.is_floating_point), [0, 1]).sum() == 2


@pytest.mark.parametrize(
    ("y", "classes"),
    [
        (["b", "a", "b"], ("a", "b")),
        (["b", None, "a", np.nan], ("a", "b")),
        (pd.Series(["b", "a", pd.NA], dtype="string"), ("a", "b")),
        (pd.Categorical(["lo", "hi", "lo"], ["lo", "mid", "hi"]), ("lo", "hi")),
        ([3, 1, 2], (1, 2, 3)),
        ([3.0, 1.0, np.nan], (1, 3)),
        ([3.0, 1.0, 2.0, 3.0, 1.0, 2.0], (1, 2, 3)),
        (np.arange(60.0), None),
        (range(100), tuple(range(100))),
        (range(101), None),
        ([0.5, 1.0], None),
        ([1.0, np.inf], None),
        (np.arange(3) + 0.25, None),
        ([], ()),
    ],
)
def test_classes_are_told_from_numbers(y: Any, classes: Any) -> None:
    found = classes_of(y)
    assert found == classes
    assert all(type(c) in (str, int, bool) for c in found or ())


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (["a", 1], "different types"),
        ([(1, 2), (3,)], "no class label"),
        (np.array(["2020-01-01"], dtype="datetime64[D]"), "no class label"),
        ([b"a", b"b"], "no class label"),
        (np.zeros((3, 2)), r"shape \(3, 2\)"),
    ],
)
def test_what_is_no_label_is_refused(y: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        classes_of(y)


def test_unlabelled_rows_are_known_by_value_or_by_being_missing() -> None:
    assert classes_of([0, -1, 2, -100], unlabelled=UNLABELLED) == (0, 2)
    assert encode_labels([0, -1, 2, -100], range(3), unlabelled=UNLABELLED).tolist() == [
        0, -1, 2, -1,
    ]  # fmt: skip
    assert encode_labels([0.0, np.nan], range(2), unlabelled=()).tolist() == [0, -1]
    assert encode_labels(["a", None], ["a", "b"], unlabelled=()).tolist() == [0, -1]
    # where -1 is a class, it is no mark of anything
    assert encode_labels([-1, 1], (-1, 1), unlabelled=UNLABELLED).tolist() == [0, 1]
    with pytest.raises(InvalidInput, match=r"label -1 in y is not one of"):
        encode_labels([0, -1], range(2), unlabelled=())
    with pytest.raises(InvalidInput, match="1 labels in y are missing"):
        encode_labels([0.0, np.nan], range(2))


def test_a_label_of_another_type_is_refused_with_both_types() -> None:
    with pytest.raises(InvalidInput, match=r"label 0 in y .* \(int, not str\)"):
        encode_labels([0, 1], ["0", "1"])
    with pytest.raises(InvalidInput, match=r"'True' in y .* \(str, not bool\)"):
        encode_labels(["True", "False"], [False, True])


@pytest.mark.parametrize("classes", [["a"], ["a", "a"], [1, 1.0], [None, "a"], [np.nan, 1.0], 1])
def test_classes_that_cannot_be(classes: Any) -> None:
    with pytest.raises(InvalidInput, match="at least two different classes"):
        as_classes(classes)


def test_classes_become_python_values() -> None:
    assert as_classes(np.array([2, 1])) == (2, 1)
    assert [type(c) for c in as_classes(np.array([2, 1]))] == [int, int]
    assert as_classes(3) == (0, 1, 2)


@given(st.lists(st.sampled_from(["a", "b", "c", "d"]), min_size=1), st.permutations("abcd"))
def test_codes_lead_back_to_the_labels(y: list[str], order: list[str]) -> None:
    for form in (np.array(y), np.array(y, dtype=object), pd.Series(y, dtype="category")):
        codes = encode_labels(form, order)
        assert [order[c] for c in codes] == y
    assert class_codes(np.array(y), order[:2]).tolist() == [
        order.index(v) if v in order[:2] else -1 for v in y
    ]


def test_missing_values_of_every_kind() -> None:
    values = np.array([None, np.nan, pd.NA, pd.NaT, "a", 0, np.float32("nan")], dtype=object)
    assert is_missing(values).tolist() == [True, True, True, True, False, False, True]
    assert is_missing(np.array([np.nan, 1.0])).tolist() == [True, False]
    assert is_missing(np.array(["NaT"], dtype="datetime64[D]")).tolist() == [True]
    assert not is_missing(np.array([1, 2])).any()


def test_types_are_kept() -> None:
    assert label_array([1, 2]).dtype.kind == "i"
    assert label_array(["a", "b"]).dtype.kind == "U"
    assert label_array(["a", 1]).tolist() == ["a", 1]
    assert label_array([[1], [2]]).tolist() == [1, 2]
