from __future__ import annotations

import numpy as np

from limbeck.teachers.endpoints.paid_answers import PaidAnswers, RowWithoutAnswer

NONE = [np.nan, np.nan]


def paid(scores, low=None, high=None, missing=(), asked=4, requests=2, cost=0.0):
    scores = np.array(scores, dtype=float)
    ends = [scores if end is None else np.array(end, dtype=float) for end in (low, high)]
    return PaidAnswers(scores, *ends, tuple(missing), asked, requests, cost)


def test_a_class_is_undecided_where_another_may_be_more_probable():
    found = paid(
        [[0.6, 0.4], [0.6, 0.4], [0.3, 0.7], NONE],
        low=[[0.5, 0.3], [0.45, 0.3], [0.1, 0.5], NONE],
        high=[[0.7, 0.5], [0.7, 0.5], [0.5, 0.9], NONE],
    )
    assert found.answered.tolist() == [True, True, True, False]
    assert found.undecided.tolist() == [False, True, False, False]
    assert "In 1 row the class is not certain" in str(found)
    assert not paid([[1.0], [2.0]], low=[[0.0]] * 2, high=[[9.0]] * 2).undecided.any()


def test_reasons_are_counted_apart_by_whether_there_was_an_answer():
    why = ["status 500", "status 500", "timeout", "a", "b"]
    missing = [RowWithoutAnswer(i, reason) for i, reason in enumerate(why)]
    missing.append(RowWithoutAnswer(5, "'maybe' is none of the classes", outside=True))
    found = paid([NONE] * 6, missing=missing, asked=6, cost=0.25)
    assert str(found) == (
        "6 rows: 6 questions in 2 requests, 0.25 USD. 5 rows without an answer: status 500 (2);"
        " timeout (1); a (1); .... 1 row answered by no class: 'maybe' is none of the classes (1)."
    )
    assert found.to_frame()["outside"].tolist() == [False] * 5 + [True]
