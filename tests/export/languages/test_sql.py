from __future__ import annotations

import sqlite3

import pandas as pd
import pytest

from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.export.languages.sql import SqlWriter
from limbeck.students.formula import (
    AtMost,
    ColumnValue,
    Constant,
    Filled,
    Formula,
    If,
    Is,
    Missing,
    Not,
    Sum,
)

X = pd.DataFrame({'a "b"': [1.0, None, 3.0], "who": ["O'Hara", None, "stranger"]})
FEATURES = Features.of(pd.DataFrame({'a "b"': [1.0, 2.0], "who": ["O'Hara", "Li"]}))
AT = FEATURES.columns[1].levels.index("O'Hara")


def selected(score, task=None, link="value", n=1):
    task = task or Task()
    with sqlite3.connect(":memory:") as connection:
        X.to_sql("rows", connection, index=False)
        formula = Formula(FEATURES, task, score if isinstance(score, tuple) else (score,), link)
        return pd.read_sql(SqlWriter(formula).written(), connection)


def flag(test):
    return If(test, Constant(1.0), Constant(0.0))


@pytest.mark.parametrize(
    ("test", "holds"),
    [
        (AtMost(ColumnValue(0), 1.0), [1, 0, 0]),
        (Not(AtMost(ColumnValue(0), 1.0)), [0, 1, 1]),  # NULL is not at most anything
        (Is(1, AT), [1, 0, 0]),
        (Not(Is(1, AT)), [0, 1, 1]),
        (Missing(0), [0, 1, 0]),
        (Missing(1), [0, 1, 1]),  # so is a level that training never saw
        (Not(Missing(1)), [1, 0, 0]),
    ],
)
def test_tests_of_null_are_those_of_nan(test, holds) -> None:
    assert selected(flag(test))["predicted"].tolist() == holds


def test_numbers_are_doubles_and_rows_stay_as_they_are() -> None:
    found = selected(Sum((Filled(0, -2.0), Constant(1e-7))))
    assert found["predicted"].tolist() == [1.0 + 1e-7, -2.0 + 1e-7, 3.0 + 1e-7]
    assert found[list(X.columns)].equals(X)


def test_classes_with_quotes_name_labels_and_columns() -> None:
    classes = ("it's", 'a "c"')
    found = selected(Sum((Filled(0, -2.0), Constant(-1.0))), Task(classes),
                     "logistic")  # fmt: skip
    assert found["predicted"].tolist() == ["it's", "it's", 'a "c"']
    assert found["p_it's"][0] == 0.5
    assert (found["p_it's"] + found['p_a "c"']).tolist() == pytest.approx([1.0] * 3)
