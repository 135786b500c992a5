from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from limbeck.evaluation.conversion_comparison import compare_conversions
from limbeck.networks.conversion.judge import TextScores


def scores(overlap: float, right: float, n: int = 12) -> TextScores:
    one = np.ones(n)
    noise = 0.01 * np.cos(np.arange(n))
    return TextScores(overlap + noise, one, one, one, right + noise, one.astype(np.int64))


def test_models_are_in_their_order_and_differences_are_student_less_control() -> None:
    found = compare_conversions(
        {
            "teacher": [scores(0.98, 0.6)],
            "student": [scores(0.8, 0.5), scores(0.7, 0.5)],
            "control": [scores(0.6, 0.55), scores(0.5, 0.55)],
            "start": [scores(0.1, 0.1)],
        },
        0.05,
        seeds=2,
    )
    assert [e.role for e in found.entries] == ["teacher", "student", "control", "start"]
    student = found.entries[1]
    mean = float((0.01 * np.cos(np.arange(12))).mean())
    assert student.agreement.value == pytest.approx(0.75 + mean)
    assert student.accuracy.value == pytest.approx(0.5 + mean)
    by = {d.what: d for d in found.differences}
    assert by["overlap with the teacher"].value == pytest.approx(0.2)
    assert by["right next tokens"].value == pytest.approx(-0.05)
    assert by["overlap with the teacher"].low > 0 > by["right next tokens"].high
    assert found.seeds == 2
