from __future__ import annotations

import pandas as pd
import pytest

from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task
from limbeck.students.additive.constraints import Constraints

FEATURES = Features.of(pd.DataFrame({"age": [1.0, 2.0], "job": ["a", "b"]}))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"pairs": -1}, "pairs is -1"),
        ({"max_terms": 0}, "max_terms is 0"),
        ({"max_numbers": True}, "max_numbers is True"),
        ({"forbidden": "age"}, "forbidden is 'age'"),
        ({"forbidden": 6}, r"forbidden is 6\. Give a list: forbidden=\[6\]"),
        ({"monotone": {"age": 2}}, r"monotone\['age'\] is 2"),
        ({"monotone": "age"}, r"monotone is 'age'\. Give a dict"),
        ({"monotone": ["age"]}, "Give a dict"),
    ],
)
def test_bad_settings_are_refused_when_made(given, words) -> None:
    with pytest.raises(InvalidInput, match=words):
        Constraints(**given)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"monotone": {"agee": 1}}, "'agee', which is no column"),
        ({"monotone": {0: 1}}, "names 0, which is no column"),
        ({"forbidden": [None]}, "names None, which is no column"),
        ({"monotone": {"job": 1}}, "a category without an order"),
        ({"forbidden": ["town"]}, "'town', which is no column"),
        ({"forbidden": ["age", "job"]}, "all 2 columns"),
    ],
)
def test_names_are_checked_against_the_columns(given, words) -> None:
    with pytest.raises(InvalidInput, match=words):
        Constraints(**given).check(FEATURES, Task())


def test_several_classes_share_no_direction() -> None:
    asked = Constraints(monotone={"age": 1})
    asked.check(FEATURES, Task(("no", "yes")))
    with pytest.raises(InvalidInput, match="one class against the rest"):
        asked.check(FEATURES, Task(("a", "b", "c")))
