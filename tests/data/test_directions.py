from __future__ import annotations

from typing import Any

import pytest

from limbeck.core.column import Feature
from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task
from limbeck.data.directions import check_monotone, directions

FEATURES = Features((Feature("age"), Feature("city", "categorical", levels=("a",)), Feature("b")))


def test_each_column_has_its_direction_or_none() -> None:
    assert directions(FEATURES, Task(), {"b": -1, "age": 1}).tolist() == [1, 0, -1]
    assert directions(FEATURES, Task(("no", "yes")), None).tolist() == [0, 0, 0]


@pytest.mark.parametrize("way", [0, 2, True, "up", None])
def test_only_1_and_minus_1_are_directions(way: Any) -> None:
    with pytest.raises(InvalidInput, match=r"monotone\['age'\] is .*1 for rising or -1"):
        check_monotone({"age": way})


@pytest.mark.parametrize(
    ("monotone", "classes", "words"),
    [
        ({"agee": 1}, (), "There is no column 'agee'.*'age'"),
        ({"age": 1}, ("a", "b", "c"), "3 classes, which have no order"),
        ({"city": 1}, (), "'city', whose categories have no order"),
    ],
)
def test_what_has_no_direction_is_refused(
    monotone: dict[str, int], classes: tuple[str, ...], words: str
) -> None:
    with pytest.raises(InvalidInput, match=words):
        directions(FEATURES, Task(classes), monotone)
