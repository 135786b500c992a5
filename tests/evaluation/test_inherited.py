from __future__ import annotations

import numpy as np

from limbeck.core.task import Task
from limbeck.evaluation.inherited import inherited_mistakes


def test_shared_mistakes_by_class():
    y = np.array([0, 0, 0, 1, 1, 2, -1])
    teacher = np.array([1, 2, 0, 1, 0, 2, 0])
    student = np.array([1, 1, 0, 0, 0, 2, 1])
    every, no, yes, never = inherited_mistakes(
        {"student": student}, teacher, y, Task(("no", "yes", "other")), 0.05
    )
    assert (every.rows, every.teacher_wrong) == (6, 3)  # the row without a label counts nowhere
    assert every.inherited["student"].value == 2 / 3  # another wrong class is not inherited
    assert every.own["student"].value == 1 / 3
    assert (no.rows, no.teacher_wrong, no.inherited["student"].value) == (3, 2, 0.5)
    assert (yes.teacher_wrong, yes.own["student"].value) == (1, 1.0)
    assert np.isnan(never.inherited["student"].value)  # nothing to inherit
    assert never.own["student"].value == 0.0
