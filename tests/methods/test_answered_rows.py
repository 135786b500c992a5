from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from limbeck.core.answers import ScoreKind
from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.methods.answered_rows import AnsweredRows

FEATURES = Features.of(np.zeros((1, 1)))
TEACHER: Any = SimpleNamespace(task=Task(("no", "yes")), score_kind=ScoreKind.PROBABILITY)
NUMBERS: Any = SimpleNamespace(task=Task(), score_kind=ScoreKind.VALUE)


def answered(n: int, q: int, teacher: Any = TEACHER) -> AnsweredRows:
    """Rows 0, 1, 2, ... and queries -1, -2, ..., of which the first class has p = 0.25."""
    rows, queries = np.arange(float(n))[:, None], -1 - np.arange(float(q))[:, None]
    return AnsweredRows(
        teacher, FEATURES.rows(rows), np.tile([0.25, 0.75], (n, 1)), FEATURES.rows(queries),
        np.tile([0.75, 0.25], (q, 1)), "jitter",
    )  # fmt: skip


def test_rows_stand_before_queries() -> None:
    found = answered(2, 3)
    assert found.everything.values[:, 0].tolist() == [0, 1, -1, -2, -3]
    assert found.answers.tolist() == [1, 1, 0, 0, 0]
    assert found.soft[:, 1].tolist() == [0.75, 0.75, 0.25, 0.25, 0.25]
    assert found.weight.mean() == 1
    assert answered(2, 1, NUMBERS).soft.tolist() == [[0.25], [0.25], [0.75]]


def test_rows_are_taken_evenly_and_queries_from_the_first() -> None:
    few = answered(9, 5).limited(2, rows=3)
    assert few.everything.values[:, 0].tolist() == [0, 4, 8, -1, -2]
    assert few.answers.tolist() == [1, 1, 1, 0, 0]
    assert len(answered(9, 5).limited(0).everything) == 9


def test_sums_of_few_rows_with_classes_see_queries_and_are_judged_on_rows() -> None:
    data = answered(4, 3).for_sums(100)
    assert data.values[:, 0].tolist() == [0, 1, 2, 3, -1, -2, -3]
    assert data.judged.tolist() == [True] * 4 + [False] * 3
    assert len(answered(4, 3, NUMBERS).for_sums(100).values) == 4
    assert answered(9, 3).for_sums(3).values[:, 0].tolist() == [0, 4, 8]
