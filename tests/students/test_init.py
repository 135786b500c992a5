"""Students by their short path, ``from limbeck.students import Tree``."""

from __future__ import annotations

import pytest

import limbeck.students
from limbeck.core.registry import STUDENTS


@pytest.mark.parametrize("name", STUDENTS.names())
def test_every_registered_student_has_a_short_path(name: str) -> None:
    student = STUDENTS.get(name)
    assert getattr(limbeck.students, student.__name__) is student
    assert student.__name__ in dir(limbeck.students)


def test_what_is_listed_is_there() -> None:
    assert all(hasattr(limbeck.students, name) for name in limbeck.students.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Tre'"):
        limbeck.students.Tre  # noqa: B018
