from __future__ import annotations

import numpy as np
import pytest

from limbeck.core.answers import ScoreKind
from limbeck.core.errors import InvalidInput
from limbeck.teachers.reading import FirstOutputs, read_outputs


def made(first):
    class Teacher:
        asked: list[int] = []  # noqa: RUF012

        @classmethod
        def first_outputs(cls, obj, example, options, k):
            cls.asked.append(k)
            return first

    return Teacher


SHARES = np.array([[0.2, 0.8], [0.6, 0.4], [0.9, 0.1]])


def test_outputs_say_what_they_are_and_the_note_of_a_choice_stays():
    first = FirstOutputs(SHARES, "net", network=True, note="Of 2 outputs 'p' is taken.", opened=7)
    teacher = made(first)
    read, model = read_outputs(teacher, "file", ["no", "yes", "no"], None, {})
    assert (read.kind, model) == (ScoreKind.PROBABILITY, 7)
    assert read.note.startswith("Of 2 outputs 'p' is taken.")
    assert teacher.asked == [2]
    teacher = made(first)
    read_outputs(teacher, "file", None, None, {"classes": 2})
    assert teacher.asked == [2]


def test_without_outputs_the_labels_tell():
    for y, expected in [
        (["b", "a", "b"], {"classes": ("a", "b")}),
        ([0.5, 1.25, 2.0], {"classes": None, "regression": True}),
    ]:
        options: dict = {}
        assert read_outputs(made(None), "m", y, None, options) == (None, "m")
        assert options == expected
    options = {"regression": True}  # what was said is stronger
    read_outputs(made(None), "m", ["a", "b"], None, options)
    assert options == {"regression": True}
    with pytest.raises(InvalidInput):
        read_outputs(made(None), "m", [["a", {}]], None, {})
