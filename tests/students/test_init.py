"""Students by their short path, ``from limbeck.students import Tree``."""

from __future__ import annotations

import json
import subprocess
import sys

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


def test_students_load_when_first_used() -> None:
    code = (
        "import json, sys, limbeck.students as s\n"
        "before = 'limbeck.students.tree.tree' in sys.modules\n"
        "from limbeck.students import Tree\n"
        "print(json.dumps([before, Tree.__name__, 'torch' in sys.modules]))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(out.stdout) == [False, "Tree", False]
