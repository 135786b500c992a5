from __future__ import annotations

import numpy as np
import pytest

from limbeck.core.column import Feature
from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.students.tree import text as words
from limbeck.students.tree.nodes import EQ, LE, MISSING, Nodes

COLUMNS = Features(
    (
        Feature("age [years]", unit="years"),
        Feature("city", "categorical", levels=("Oslo", "Rome", "Lima")),
        Feature("smoker", "boolean"),
    ),
    frame=True,
    dtypes=("float64", "category", "bool"),
)
TASK = Task(("well", "ill"))


def chain(*questions: tuple[int, int, float, bool, bool]) -> Nodes:
    """Questions one below the other: (feature, op, threshold, missing left, goes on left)."""
    k = len(questions)
    m = 2 * k + 1
    left, right = np.full(m, -1), np.full(m, -1)
    feature, op, threshold, missing = np.full(m, -1), np.zeros(m), np.zeros(m), np.zeros(m, bool)
    for j, (f, o, t, ml, on_left) in enumerate(questions):
        i, leaf, go_on = 2 * j, 2 * j + 1, 2 * j + 2
        feature[i], op[i], threshold[i], missing[i] = f, o, t, ml
        left[i], right[i] = (go_on, leaf) if on_left else (leaf, go_on)
    value = np.tile([0.996, 0.004], (m, 1))
    return Nodes(feature, op, threshold, missing, left, right, value, np.r_[8.0, np.ones(m - 1)])


@pytest.mark.parametrize(
    ("x", "said"),
    [
        (0, "0"), (3.0, "3"), (0.1 + 0.2, "0.3"), (1234.5678, "1235"), (123456, "123456"),
        (-0.012345, "-0.01235"), (1e-5, "1e-05"), (3e7, "3e+07"), (100.0, "100"), (16.7955, "16.8"),
    ],
)  # fmt: skip
def test_number(x: float, said: str) -> None:
    assert words.number(x) == said


def test_rounding_never_reaches_certainty() -> None:
    assert [words.fraction(p) for p in (0, 0.0001, 0.25, 0.9999, 1)] == [
        "0", "<0.001", "0.25", ">0.999", "1",
    ]  # fmt: skip
    assert [words.percent(p) for p in (0, 0.001, 0.5, 0.999, 1)] == [
        "0 %", "<1 %", "50 %", ">99 %", "100 %",
    ]  # fmt: skip


def test_repeated_thresholds_become_one_range() -> None:
    nodes = chain((0, LE, 50, False, True), (0, LE, 20, False, False), (0, LE, 30, False, True))
    assert [r.split(" THEN")[0] for r in words.rules(nodes, COLUMNS, TASK)] == [
        "IF age <= 20 years",
        "IF 20 < age <= 30 years",
        "IF 30 < age <= 50 years",
        "IF age > 50 years",
    ]


def test_levels_left_out_and_the_one_left() -> None:
    nodes = chain((1, EQ, 0, False, False), (1, EQ, 2, False, False))
    assert [r.split("  ")[0] for r in words.rules(nodes, COLUMNS, TASK)] == [
        "IF city is Oslo THEN well (0.996)",
        "IF city is Lima THEN well (0.996)",
        "IF city is Rome THEN well (0.996)",
    ]


def test_booleans_and_missing() -> None:
    nodes = chain((2, LE, 0.5, True, False), (0, MISSING, 0, False, False))
    assert [r.split(" THEN")[0] for r in words.rules(nodes, COLUMNS, TASK, missing=True)] == [
        "IF (smoker is false or is missing)",
        "IF smoker is true and age is missing",
        "IF smoker is true and age is not missing",
    ]


def test_text() -> None:
    nodes = chain((0, LE, 41.5, True, False), (1, EQ, 1, False, True))
    assert words.text(nodes, COLUMNS, TASK, missing=True).splitlines() == [
        "age <= 41.5 years? (missing: yes)  [100 %]",
        "├─ yes: well (0.996)  [12 %]",
        "└─ no:  city is Rome? (missing: no)  [12 %]",
        "   ├─ yes: well (0.996)  [12 %]",
        "   └─ no:  well (0.996)  [12 %]",
    ]


def test_value_with_unit_and_unknown_shares() -> None:
    nodes = Nodes.leaf([2.5], weight=0.0)
    assert words.text(nodes, COLUMNS, Task(unit="kg")) == "2.5 kg"
    assert words.rules(nodes, COLUMNS, Task()) == ["ALWAYS 2.5"]
