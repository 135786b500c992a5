from __future__ import annotations

import numpy as np

from limbeck.methods.few_labels.stopping import LearningCurve


def errors(wrong: int, n: int = 200) -> np.ndarray:
    out = np.zeros(n)
    out[:wrong] = 1.0
    return out


def test_it_stops_after_patience_rounds_without_a_move():
    curve = LearningCurve(2)
    assert curve.add(100, errors(80), 0.6)
    assert curve.add(200, errors(40), 0.8)  # 40 better, none worse: beyond chance
    assert curve.add(300, errors(38), 0.81)  # 2 of 2: p = 0.5
    assert not curve.add(400, errors(36), 0.82)
    assert [r.moved for r in curve.rounds] == [True, True, False, False]


def test_slow_growth_is_seen_against_the_mark_and_not_the_last_round():
    curve = LearningCurve(3)
    for i in range(6):  # each step of 3 texts is chance (p = 0.25), two of them are not (0.03)
        assert curve.add(100 * (i + 1), errors(80 - 3 * i), 0.6 + 0.015 * i)
    assert [r.moved for r in curve.rounds] == [True, False, True, False, True, False]


def test_a_student_that_grows_worse_moves_too():
    curve = LearningCurve(1)
    curve.add(100, errors(20), 0.9)
    assert curve.add(200, errors(60), 0.7)
