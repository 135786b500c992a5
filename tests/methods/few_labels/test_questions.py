from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task
from limbeck.methods.few_labels.questions import CountedQuestions, answered

X = np.arange(8.0)[:, None]
ROWS = Features.of(X).rows(X)


def teacher(outputs: int = 2) -> Any:
    return SimpleNamespace(
        name="the oracle", task=Task(("no", "yes")),
        scores=lambda X: np.tile(np.linspace(0.3, 0.7, outputs), (len(X), 1)),
    )  # fmt: skip


def test_questions_are_counted_and_none_is_asked_beyond_the_budget() -> None:
    questions = CountedQuestions(teacher(), 10)
    assert questions.ask(ROWS).shape == (8, 2)
    assert (questions.asked, questions.left) == (8, 2)
    with pytest.raises(InvalidInput, match="2 of the budget of 10 are left"):
        questions.ask(ROWS)
    assert questions.asked == 8
    assert questions.bill({"active": 5, "certificate": 3, "none": 0}) == (
        "Bill: 8 questions of a budget of 10 (5 active, 3 certificate)."
    )


def test_scores_of_another_shape_are_refused() -> None:
    with pytest.raises(InvalidInput, match=r"answers 8 rows with an array of shape .8, 3."):
        CountedQuestions(teacher(3), 10).ask(ROWS)


@pytest.mark.parametrize(
    ("failed", "says"), [(1, "1 text got no answer and is"), (3, "3 texts got no answer and are")]
)
def test_the_bill_says_what_was_left_out(failed: int, says: str) -> None:
    questions = CountedQuestions(teacher(), 10)
    questions.failed, questions.outside = failed, [f"'{i}'" for i in range(7)]
    bill = questions.bill({})
    assert says in bill
    assert bill.endswith("7 answers outside the classes, left out and taken for none of them:"
                         " '0'; '1'; '2'; '3'; '4'.")  # fmt: skip


def test_a_row_with_a_missing_score_has_no_answer() -> None:
    scores = np.array([[0.5, 0.5], [np.nan, 1.0], [np.nan, np.nan]])
    assert answered(scores).tolist() == [True, False, False]
