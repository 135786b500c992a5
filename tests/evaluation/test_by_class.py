from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import recall_score

from limbeck.core.task import Task
from limbeck.evaluation.by_class import by_class, never_predicted

TASK = Task(("common", "rare", "unheard"))


@settings(max_examples=30)
@given(st.integers(1, 200), st.integers(0, 1000))
def test_it_is_the_recall_of_the_teachers_classes(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    teacher, student = rng.integers(0, 3, n), rng.integers(0, 3, n)
    found = by_class([("student", student)], teacher, TASK, 0.05)
    recall = recall_score(teacher, student, labels=[0, 1, 2], average=None, zero_division=0.0)
    for line in found:
        c = TASK.classes.index(line.label)
        share = line.models["student"]
        assert line.rows == (teacher == c).sum()
        assert share.predicted == (student == c).sum()
        if line.rows == 0:
            assert share.value is None
            continue
        assert share.value == pytest.approx(recall[c])
        peer = binomtest(share.agreed, line.rows).proportion_ci(0.95, "exact")
        assert (share.low, share.high) == pytest.approx((peer.low, peer.high))
    assert sum(line.rows for line in found) == n
    assert sum(line.models["student"].agreed for line in found) == (teacher == student).sum()


def test_classes_of_nobody_are_left_out_and_numbers_have_none() -> None:
    teacher, student = np.array([0, 0, 1]), np.array([0, 0, 0])
    found = by_class([("student", student), ("linear", teacher)], teacher, TASK, 0.05)
    assert [line.label for line in found] == ["common", "rare"]
    assert found[1].models["linear"].value == 1.0
    assert by_class([("student", np.zeros(3))], np.zeros(3), Task(), 0.05) == ()


def test_lost_classes_are_named_with_their_rows() -> None:
    teacher = np.array([0] * 970 + [1] * 29 + [2])
    found = by_class([("student", np.zeros(1000, int))], teacher, TASK, 0.05)
    said = never_predicted(found, 1000)
    assert "'rare' (29 of 1,000 rows), 'unheard' (1 of 1,000 rows)" in said
    assert "class_weight='balanced' or more leaves" in said
    assert "leaves" not in never_predicted(found, 1000, "n-grams")
    assert never_predicted(by_class([("student", teacher)], teacher, TASK, 0.05), 1000) == ""
