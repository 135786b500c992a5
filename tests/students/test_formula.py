from __future__ import annotations

import numpy as np
import pytest

from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.students.formula import (
    All,
    Any,
    AtLeast,
    AtMost,
    ColumnValue,
    Constant,
    Filled,
    Formula,
    If,
    Is,
    Missing,
    Not,
    Positive,
    Product,
    Sum,
    columns_of,
    stepped,
)

X = np.array([[-1.0, 0], [0.5, 1], [2.0, 1], [np.nan, np.nan]])
FEATURES = Features.of(X)
SMALL, ONE = AtMost(ColumnValue(0), 0.5), Is(1, 1.0)


def value(*scores, task=Task(), link="value", table=None) -> Formula:  # noqa: B008
    return Formula(FEATURES, task, scores, link, table)


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (Sum((Filled(0, 7.0), Constant(1.0))), [0, 1.5, 3, 8]),
        (Product(Filled(0, 4.0), 2.0, divide=True), [-0.5, 0.25, 1, 2]),
        (Positive(Product(Filled(0, 0.0), -1.0)), [1, 0, 0, 0]),
    ],
)
def test_numbers(part, expected) -> None:
    assert value(part).outputs(X)[:, 0].tolist() == expected


@pytest.mark.parametrize(
    ("test", "holds"),
    [
        (SMALL, [1, 1, 0, 0]), (ONE, [0, 1, 1, 0]), (Missing(1), [0, 0, 0, 1]),
        (Not(SMALL), [0, 0, 1, 1]), (All((SMALL, ONE)), [0, 1, 0, 0]),
        (Any((SMALL, ONE)), [1, 1, 1, 0]), (All(()), [1, 1, 1, 1]), (Any(()), [0, 0, 0, 0]),
        (AtLeast(2, (SMALL, ONE, Missing(0))), [0, 1, 0, 0]),
    ],
)  # fmt: skip
def test_tests_of_what_is_missing_are_false(test, holds) -> None:
    found = value(If(test, Constant(1.0), Constant(0.0))).outputs(X)[:, 0]
    assert found.tolist() == holds


def test_links() -> None:
    score = Filled(0, 0.0)
    made = value(score, task=Task(("n", "y")), link="logistic")
    np.testing.assert_allclose(made.outputs(X)[:, 1], 1 / (1 + np.exp([1, -0.5, -2, 0])))
    assert made.positions(X).tolist() == [0, 1, 1, 0]
    made = value(score, Constant(0.5), task=Task(("n", "y")), link="softmax")
    np.testing.assert_allclose(made.outputs(X).sum(axis=1), 1)
    assert made.positions(X).tolist() == [1, 0, 0, 1]  # of equal ones the first
    table = np.array([[0.5, 0.5], [0.2, 0.8]])
    made = value(If(ONE, Constant(1.0), Constant(0.0)), task=Task(("n", "y")), link="shares",
                 table=table)  # fmt: skip
    assert made.outputs(X).tolist() == table[[0, 1, 1, 0]].tolist()
    assert made.positions(X).tolist() == [0, 1, 1, 0]
    assert value(score, task=Task(("y",)), link="logistic").outputs(X).tolist() == [[1.0]] * 4


@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_steps_are_found_by_halving(n: int) -> None:
    edges = [float(i) for i in range(n)]
    made = value(stepped(Filled(0, 99.0), edges, [Constant(float(i)) for i in range(n + 1)]))
    rows = np.array([[x, 0] for x in (-1, 0, 0.5, 1, 3.5, 4, 9, np.nan)])
    expected = np.searchsorted(edges, np.nan_to_num(rows[:, 0], nan=99.0), side="left")
    assert made.outputs(rows)[:, 0].tolist() == expected.tolist()


def test_columns_are_named_as_often_as_they_are_read() -> None:
    part = If(AtLeast(1, (ONE, Missing(3))), Sum((Filled(2, 0.0), ColumnValue(1))), Constant(0.0))
    assert list(columns_of(part)) == [1, 3, 2, 1]
