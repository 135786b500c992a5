from __future__ import annotations

import math

import numpy as np
import pytest

from limbeck.core.column import Feature
from limbeck.core.columns import Features
from limbeck.core.errors import FileRefused
from limbeck.students.sparse_sum.terms import (
    FilledColumns,
    SumTerm,
    TermTest,
    medians,
    term_from_dict,
)

FEATURES = Features(
    (
        Feature("age [years]", unit="years"),
        Feature("member", "boolean"),
        Feature("colour", "categorical", levels=("red", "green")),
    ),
    frame=True,
    dtypes=("float64", "bool", "object"),
)
NAN = math.nan
VALUES = np.array([[20.0, 1, 0], [50, 0, 1], [NAN, 1, NAN], [70, NAN, 0]])
COLUMNS = FilledColumns(VALUES, medians(FEATURES, VALUES))


def test_a_missing_number_is_the_lower_median_and_a_category_no_level() -> None:
    fill = medians(FEATURES, VALUES)
    assert fill[:2].tolist() == [50.0, 1.0]
    assert math.isnan(fill[2])
    assert medians(FEATURES, np.full((2, 3), NAN))[:2].tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("term", "values", "numbers", "words"),
    [
        (SumTerm("column", 0), [20, 50, 50, 70], 0, "age in years"),
        (SumTerm("column", 0, per=10.0), [2, 5, 5, 7], 1, "age in steps of 10 years"),
        (SumTerm("above", 0, 45.0), [0, 5, 5, 25], 1, "age above 45 years"),
        (SumTerm("below", 0, 45.0, per=5.0), [5, 0, 0, 0], 2,
         "age below 45 years in steps of 5 years"),
        (SumTerm("all", tests=(TermTest(0, ">", 50.0),)), [0, 0, 0, 1], 1, "age > 50 years"),
        (SumTerm("all", tests=(TermTest(1, "is", 1.0),)), [1, 0, 1, 1], 0, "member is true"),
        (SumTerm("all", tests=(TermTest(1, "is not", 1.0),)), [0, 1, 0, 0], 0, "member is false"),
        (SumTerm("all", tests=(TermTest(2, "is", 0.0),)), [1, 0, 0, 1], 0, "colour is red"),
        (SumTerm("all", tests=(TermTest(2, "is not", 0.0),)), [0, 1, 1, 0], 0, "colour is not red"),
        (SumTerm("all", tests=(TermTest(0, "missing"),)), [0, 0, 1, 0], 0, "age is missing"),
        (SumTerm("all", tests=(TermTest(0, "present"),)), [1, 1, 0, 1], 0, "age is not missing"),
        (
            SumTerm("all", tests=(TermTest(0, "<=", 60.0), TermTest(0, ">", 30.0),
                                  TermTest(2, "is", 1.0))),
            [0, 1, 0, 0], 3, "30 < age <= 60 years and colour is green",
        ),
    ],
)  # fmt: skip
def test_what_a_term_is_worth_holds_and_says(term, values, numbers, words) -> None:
    assert np.asarray(term.evaluate(COLUMNS), float).tolist() == values
    assert term.numbers == numbers
    assert term.words(FEATURES) == words
    assert term_from_dict(term.to_dict(), FEATURES) == term


@pytest.mark.parametrize("op", ["<=", ">", "is", "is not", "missing", "present"])
def test_exactly_one_of_a_test_and_its_opposite_holds(op) -> None:
    test = TermTest(2 if op.startswith("is") else 0, op, 0.0 if op.startswith("is") else 50.0)
    assert (test.holds(COLUMNS) ^ test.opposite.holds(COLUMNS)).all()
    assert test.opposite.opposite == test


@pytest.mark.parametrize(
    "data",
    [
        {"kind": "spline", "column": 0, "per": 1.0},
        {"kind": "column", "column": 3, "per": 1.0},
        {"kind": "column", "column": True, "per": 1.0},
        {"kind": "column", "column": 2, "per": 1.0},
        {"kind": "column", "column": 0, "per": 0.0},
        {"kind": "above", "column": 0, "per": 1.0, "threshold": math.inf},
        {"kind": "all", "tests": []},
        {"kind": "all", "tests": [[0, "==", 1.0]]},
        {"kind": "all", "tests": [[-1, ">", 1.0]]},
    ],
)
def test_an_altered_term_is_refused(data) -> None:
    with pytest.raises(FileRefused):
        term_from_dict(data, FEATURES)
