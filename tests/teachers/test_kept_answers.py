from __future__ import annotations

import numpy as np
import pytest

from limbeck.teachers.callable import CallableTeacher
from limbeck.teachers.kept_answers import KeptAnswers

X = np.arange(6.0).reshape(3, 2)


def made(slope):
    asked = []

    def function(rows):
        asked.append(len(rows))
        return slope * rows[:, 0]

    return CallableTeacher(function), asked


def test_outside_a_run_every_answer_is_the_teachers_own():
    teacher, asked = made(2.0)
    kept = KeptAnswers(teacher, X[:1])
    assert asked == [1]  # about the example
    assert kept.scores(X).tolist() == [[0.0], [4.0], [8.0]]
    assert (kept.name, kept.task, kept.access) == (teacher.name, teacher.task, teacher.access)
    with pytest.raises(AttributeError):
        kept._absent  # noqa: B018


def test_a_teacher_that_answers_otherwise_is_another_one():
    kept = [KeptAnswers(made(slope)[0], X[1:2]).identity for slope in (2.0, 3.0)]
    assert kept[0] != kept[1]
