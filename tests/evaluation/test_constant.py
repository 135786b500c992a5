from __future__ import annotations

import numpy as np

from limbeck.core.status import Status, StatusCode
from limbeck.core.task import Task
from limbeck.evaluation.constant import told_constant

STATUS = Status(StatusCode.COMPLETE, "The search ran to its end.")


def test_a_student_that_is_a_constant_is_called_one() -> None:
    task = Task(("no", "yes"))
    answers = np.repeat([0, 1], [996, 4])
    found = told_constant(STATUS, np.zeros(50, int), answers, task, 0.05, True)
    assert str(found).startswith(
        "A constant meets epsilon = 0.05: the teacher says 'no' on 99.6% of rows, and the student"
        " always does. The search ran to its end. For a student that tells rows apart"
    )
    poor = told_constant(STATUS, np.zeros(50, int), 1 - answers, task, 0.05, False)
    assert "A constant does not meet epsilon = 0.05: the teacher says 'no' on 0.4%" in str(poor)
    assert "allow more leaves" in str(poor)
    texts = told_constant(STATUS, np.zeros(50, int), answers, task, 0.05, False, "n-grams")
    assert "leaves" not in str(texts)
    one = told_constant(STATUS, np.zeros(50, int), np.zeros(9, int), task, 0.05, True)
    assert "on all 9 rows set aside" in str(one)
    assert "Give more rows on which the teacher's answers differ." in str(one)
    value = told_constant(STATUS, np.full(5, 2.5), np.arange(5.0), Task(), 0.1, False)
    assert "the student always says 2.5" in str(value)
    varied = np.array([0, 1, 0])
    assert told_constant(STATUS, varied, answers, task, 0.05, True) is STATUS
