from __future__ import annotations

import pytest

from limbeck.language.generated.instances import (
    classification_instances,
    free_instances,
    usable,
)
from limbeck.language.generated.tasks import Instance


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ("Example 1\nList: 3, 1\nOutput: 1, 3", [("List: 3, 1", "1, 3")]),
        ("Input: 5\nOutput 1: 6\nOutput 2: 7", [("5", "6")]),  # the first output only
        ("Example 1\nInput 1: a\nOutput: b\nInput 2: c\nOutput: d", [("a", "b")]),
        ("Output: Paris", [("", "Paris")]),
        ("Example 1\nParis\nExample 2\nRome", [("", "Paris"), ("", "Rome")]),
        ("Paris", []),  # neither an example nor an output
    ],
)
def test_input_first(answer, found):
    assert free_instances(answer) == [Instance(*pair) for pair in found]


def test_labels_first():
    answer = "Class label: good\nFilm: one\nFilm: two\nClass label: bad\nClass label: C\nx"
    assert classification_instances(answer) == [
        Instance("Film: one\nFilm: two", "good"), Instance("", "bad"), Instance("x", "C"),
    ]  # fmt: skip
    assert classification_instances("good") == []


def test_each_filter_of_instances():
    one = Instance("a", "b")
    given = [one, Instance("c", "c"), Instance("d", ""), Instance("e:", "f"), Instance("g", "h:"),
             one, Instance("", "free"), Instance("", "other")]  # fmt: skip
    kept, dropped = usable(given)
    assert kept == [one, Instance("", "free"), Instance("", "other")]  # empty inputs may differ
    assert [why for _, why in dropped] == [
        "output equal to input", "empty output", "ends with a colon", "ends with a colon",
        "twice in one answer",
    ]  # fmt: skip


def test_one_input_with_two_outputs_drops_the_task():
    kept, dropped = usable([Instance("a", "b"), Instance("x", "y"), Instance("a", "c")])
    assert kept == []
    assert {why for _, why in dropped} == {"one input with two outputs"}
    assert len(dropped) == 3


def test_the_last_instance_of_an_answer_that_was_cut_is_dropped():
    kept, dropped = usable([Instance("a", "b"), Instance("c", "d")], "length")
    assert (kept, dropped) == (
        [Instance("a", "b")],
        [(Instance("c", "d"), "cut at the length limit")],
    )
