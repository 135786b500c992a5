"""Rows without a label are known where that is certain, refused where it is not, and told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task
from limbeck.data.labels import encode_labels
from limbeck.data.scores import KnownOutputs, read_scores
from limbeck.data.unlabelled import (
    check_labelled,
    check_shifted,
    label_codes,
    marked_classes,
    unlabelled_note,
    with_none,
)
from limbeck.teachers import as_teacher


@pytest.mark.parametrize("mark", [-1, -100])
def test_no_label_beside_0_and_1_is_no_number(mark: int) -> None:
    with pytest.raises(InvalidInput, match=f"y holds {mark} in 2 rows beside 0 and 1, which"):
        check_labelled(np.array([0, 1, mark, 1, mark]))
    check_labelled(np.array([0, 1, 1]))
    check_labelled(np.array([mark, mark]))
    check_labelled(np.array([0.0, 1.5, mark]))
    with pytest.raises(InvalidInput, match="Drop the rows without a label"):
        encode_labels(np.array([0, 1, mark]), (0, 1))


@pytest.mark.parametrize(
    ("y", "classes", "marks"),
    [
        ([0, 1, -1], (0, 1), (-1,)),
        ([0.0, 2.0, -1.0, -100.0], (0, 2), (-1, -100)),
        (["a", "b", -1], ("a", "b"), (-1,)),
        (np.array(["a", -100], dtype=object), ("a",), (-100,)),
        ([0, 1, 2], (0, 1, 2), ()),
        ([-1, 1], (-1, 1), ()),  # two classes
        ([-2, -1, 0, 1], (-2, -1, 0, 1), ()),
        ([-1.0, 0.5, 1.0], None, ()),
    ],
)
def test_marks_are_told_from_classes(y: Any, classes: Any, marks: Any) -> None:
    assert marked_classes(y) == (classes, marks)


@pytest.mark.parametrize(
    ("kinds", "classes"), [([-1, 1], (0, 1)), ([-1, 0], (0, 1)), ([-1, 0, 1, -100], (0, 1, 2))]
)
def test_as_many_labels_as_classes_are_ambiguous(kinds: Any, classes: Any) -> None:
    with pytest.raises(InvalidInput, match=r"-1 may be a class, or mean no label\. Number classes"):
        check_shifted(kinds, classes)


@pytest.mark.parametrize(
    ("kinds", "classes"),
    [([-1, 0, 1], (0, 1)), ([-1, 1], (-1, 1)), ([-1, "a", "b"], ("a", "b", "c")), ([0, 1], (0, 1))],
)
def test_other_labels_are_not(kinds: Any, classes: Any) -> None:
    check_shifted(kinds, classes)


def test_both_sides_are_coded_and_counted() -> None:
    task = Task(("no", "yes"))
    fit = np.array(["no", "yes", -1, "no"] * 10, dtype=object)
    test = np.array(["yes", -100] * 10, dtype=object)
    codes = label_codes(fit, test, task)
    assert codes[0] is not None
    assert codes[1] is not None
    assert codes[0].tolist() == [0, 1, -1, 0] * 10
    assert codes[1].tolist() == [1, -1] * 10
    assert unlabelled_note(*codes, task=task).startswith("20 of 60 rows have no label (-1, -100")
    assert not unlabelled_note(codes[0][codes[0] >= 0], None, task=task)
    numbers = np.array([-1.0, 0.3])
    values = label_codes(numbers, numbers, Task())
    assert values[0] is not None
    assert values[0].tolist() == [-1.0, 0.3]  # a number is no mark
    assert not unlabelled_note(*values, task=Task())


def test_missing_labels_are_no_labels() -> None:
    for fit in (np.array(["no", "yes", None] * 10, dtype=object), np.array([0, 1, np.nan] * 10)):
        task = Task(("no", "yes") if fit.dtype == object else (0, 1))
        codes = label_codes(fit, fit, task)
        assert codes[0] is not None
        assert codes[0].tolist() == [0, 1, -1] * 10
        assert unlabelled_note(*codes, task=task).startswith("20 of 60 rows have no label")
    with pytest.raises(InvalidInput, match="10 labels in y are missing"):
        label_codes(np.array([0, 1, np.nan] * 10), np.zeros(10), Task())
    with pytest.raises(InvalidInput, match="-1 may be a class"):
        label_codes(np.array([-1, 1, np.nan] * 10), np.array([1.0, np.nan] * 10), Task((0, 1)))


def test_too_few_labels_are_refused() -> None:
    fit, test = np.repeat([0, 1, -1], 20), np.repeat([0, -1], [9, 21])
    with pytest.raises(InvalidInput, match="Of 30 rows set aside, 9 have a label"):
        label_codes(fit, test, Task((0, 1)))
    label_codes(fit, fit, Task((0, 1)))


def test_the_number_of_outputs_tells_what_minus_one_is() -> None:
    two, three = np.zeros((4, 2)), np.zeros((4, 3))
    known = KnownOutputs("model", labels=(0, 1), marks=(-1,))
    assert read_scores(two, known).task.classes == (0, 1)
    assert read_scores(three, known).task.classes == (0, 1, 2)  # refused later: -1, 0, 1 are three
    share = np.array([0.1, 0.7, 0.6])
    assert read_scores(share, known).task.classes == (0, 1)


def test_answers_and_single_outputs_leave_it_open() -> None:
    y = np.array([0, 1, -1] * 10)
    X = np.arange(30.0)[:, None]
    with pytest.raises(InvalidInput, match=r"y also holds -1, which may be no label or a class"):
        as_teacher(lambda X: (X[:, 0] > 3).astype(int), y, example=X)
    assert as_teacher(lambda X: (X[:, 0] > 3).astype(int), y, example=X, classes=[0, 1])
    # who answers with -1 has it for a class
    found = as_teacher(lambda X: (X[:, 0] > 3).astype(int) - 1, y, example=X)
    assert found.task.classes == (-1, 0, 1)
    known = KnownOutputs("net", labels=(0, 1), marks=(-1,), network=True)
    with pytest.raises(InvalidInput, match="y holds -1 beside 0, 1, which may be the logit"):
        read_scores(np.array([-2.0, 3.0]), known)


def test_names_beside_marks_have_none() -> None:
    mixed = np.array(["a", -1, "b", -100], dtype=object)
    found = with_none(mixed)
    assert found is not None
    assert found.tolist() == ["a", None, "b", None]
    assert mixed[1] == -1  # a copy
    for other in (np.array([1, -1]), np.array([1.5, -1], dtype=object), None):
        assert with_none(other) is other


def test_only_numbers_are_asked_whether_they_are_marks() -> None:
    check_labelled(None)
    check_labelled(np.array(["0", "1", "-1"]))


def test_the_remedy_names_the_classes() -> None:
    with pytest.raises(InvalidInput, match="Number classes from 0 to 2, and"):
        check_shifted([-1, 0, 1], [0, 1, 2])
    with pytest.raises(InvalidInput, match=r"Number classes as \[1, 2, 3\], and"):
        check_shifted([-1, 1, 2], [1, 2, 3])
