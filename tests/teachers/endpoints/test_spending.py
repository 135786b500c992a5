from __future__ import annotations

from dataclasses import replace

import pytest

from limbeck.core.errors import InvalidInput
from limbeck.teachers.endpoints.spending import (
    CostEstimate,
    OutOfBudget,
    Price,
    Spending,
    Usage,
)

ESTIMATE = CostEstimate(20, 0, 12, 3, 0, 0, 1.5, "EUR", "a.sqlite", kept=9)


def test_a_price_is_of_requests_and_of_tokens_by_the_million():
    price = Price(0.5, 2.0, 10.0)
    assert price.of(Usage(250_000, 50_000)) == 0.5 + 0.5 + 0.5
    assert price.known
    assert not Price().known


@pytest.mark.parametrize("wrong", [-1, float("nan"), float("inf"), "1"])
def test_what_is_no_price_is_refused(wrong):
    with pytest.raises(InvalidInput, match=r"per_request is .*Give a price of 0 or more"):
        Price(per_request=wrong)


def test_an_estimate_says_that_stored_answers_are_of_other_rows():
    assert str(ESTIMATE) == (
        "20 rows: 0 answered already, 12 questions in 3 requests, about 1.5 EUR."
        " Answers are kept in a.sqlite."
    )
    assert "none of its 10 answers is of these rows" in str(replace(ESTIMATE, kept=10))
    assert "none of its" not in str(replace(ESTIMATE, kept=10, stored=1))


def test_the_budget_holds_with_what_is_under_way():
    spending = Spending(Price(1.0), budget_cost=2.5)
    spending.check(ESTIMATE)
    spending.reserve(1.0)
    spending.reserve(1.5)
    with pytest.raises(OutOfBudget):  # nothing is spent yet, and all is reserved
        spending.reserve(0.1)
    spending.settle(1.5, 0.0)  # that request failed
    spending.settle(1.0, 1.25)
    assert (spending.cost, spending.pending, spending.requests) == (1.25, 0.0, 2)
    with pytest.raises(InvalidInput, match=r"About 1\.5 EUR are needed, and 1\.25 of the budget"):
        spending.check(ESTIMATE)


def test_a_request_that_fails_counts_against_the_budget():
    spending = Spending(budget=1)
    spending.reserve(0.0)
    spending.settle(0.0, 0.0)
    with pytest.raises(OutOfBudget):
        spending.reserve(0.0)
    with pytest.raises(InvalidInput, match="3 requests are needed, and 0 of the budget of 1"):
        spending.check(ESTIMATE)
    with pytest.raises(InvalidInput, match="nothing has a price"):
        Spending(budget_cost=1.0)
