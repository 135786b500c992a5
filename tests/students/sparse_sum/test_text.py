from __future__ import annotations

import numpy as np
import pytest

from limbeck.core.column import Feature
from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.students.sparse_sum.model import TermWeights
from limbeck.students.sparse_sum.terms import SumTerm, TermTest
from limbeck.students.sparse_sum.text import sum_text

FEATURES = Features((Feature("age", unit="years"), Feature("x or y")))
TERMS = (SumTerm("column", 0), SumTerm("all", tests=(TermTest(1, "<=", 2.0),)))


def said(task: Task, k: int = 1, **settings) -> str:
    weights = np.arange(1.0, 2 * k + 1).reshape(2, k) / 4
    found = TermWeights(TERMS, weights, np.full(k, -1.5))
    return str(sum_text(found, FEATURES, task, np.array([40.0, 1.0]), **settings))


def test_a_value() -> None:
    assert said(Task(unit="kg")) == (
        "value in kg       weight\n"
        "always              -1.5\n"
        "age in years       +0.25\n"
        "if 'x or y' <= 2    +0.5\n"
        "\n"
        "A line without if adds its number times its weight.\n"
        "The value is the sum.\n"
        "A missing value counts as the median: age 40 years, 'x or y' 1."
    )


def test_the_probabilities_of_two_classes_are_those_of_the_log_odds() -> None:
    text = said(Task(("no", "yes")))
    assert "The answer is yes where the sum is above 0, else no." in text
    assert "+2: 88 %" in text  # 1 / (1 + exp(-2)) = 0.8808


def test_a_card_says_where_the_answer_turns() -> None:
    text = said(Task(("no", "yes")), card=True, unit="points", per_unit=2.0)
    assert "always" not in text
    assert "The answer is yes above 1.5 points, else no." in text
    assert "2: 73 %" in text  # 1 / (1 + exp(-2 * 0.5))


@pytest.mark.parametrize("k", [3, 9])
def test_more_classes_stand_side_by_side_or_below_each_other(k) -> None:
    text = said(Task(tuple(f"c{i}" for i in range(k))), k)
    assert text.splitlines()[0].split()[:3] == (
        ["weight", "for", "c0"] if k == 3 else ["class:", "term", "weight"]
    )
    assert "The class with the largest sum is the answer, of equal sums the first." in text


def test_html_is_escaped() -> None:
    found = TermWeights(TERMS[1:], np.ones((1, 1)), np.zeros(1))
    page = sum_text(found, FEATURES, Task(("<a>", "<b>")), np.zeros(2)).html()
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
