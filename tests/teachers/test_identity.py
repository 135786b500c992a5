from __future__ import annotations

import pytest

from limbeck import as_teacher
from limbeck.core.errors import InvalidInput
from limbeck.teachers.identity import teacher_identity


def made(slope, classes=("a", "b")):
    def function(X):
        return [classes[int(slope * x[0] > 1)] for x in X]

    return as_teacher(function, classes=classes), function


def test_a_function_is_known_by_its_code_and_what_it_closes_over():
    first, again, steeper = made(2.0), made(2.0), made(3.0)
    assert teacher_identity(*first) == teacher_identity(*again)
    assert teacher_identity(*first) != teacher_identity(*steeper)


def test_a_name_stands_for_all_but_the_classes():
    one, two = made(2.0), made(3.0)
    assert teacher_identity(*one, "mine") == teacher_identity(*two, "mine")
    assert teacher_identity(*one, "mine") != teacher_identity(*one, "other")
    turned = made(2.0, ("b", "a"))
    assert teacher_identity(*one, "mine") != teacher_identity(*turned, "mine")
    for name in ("", " ", 3):
        with pytest.raises(InvalidInput, match="Give a name of the teacher"):
            teacher_identity(*one, name)


def test_a_file_is_known_by_its_content_and_not_its_name(tmp_path):
    teacher, _ = made(2.0)
    paths = [tmp_path / name for name in "abc"]
    for path, content in zip(paths, (b"one", b"one", b"two"), strict=True):
        path.write_bytes(content)
    found = [teacher_identity(teacher, given) for given in (*paths, str(paths[0]))]
    assert found[0] == found[1] == found[3] != found[2]


def test_what_cannot_be_pickled_is_not_known():
    class Closed:
        def __reduce__(self):
            raise TypeError

    assert teacher_identity(made(2.0)[0], Closed()) is None
