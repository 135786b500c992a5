from __future__ import annotations

import numpy as np
import pytest

from limbeck.core.column import Feature
from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.students.junta.formula import formula
from limbeck.students.junta.table import CellTable

FEATURES = Features(
    (Feature("x"), Feature("c", "categorical", levels=("u", "v")), Feature("b", "boolean"))
)
NONE = np.zeros(0)


@pytest.mark.parametrize("classes", [(), ("no", "yes")])
def test_a_formula_finds_the_cell_of_each_row(classes: tuple[str, ...]) -> None:
    rng = np.random.default_rng(0)
    levels = (4, 3, 3)
    value = rng.dirichlet(np.ones(2), 36) if classes else rng.normal(size=(36, 1))
    table = CellTable((0, 2, 1), (np.array([0.5, 2.0]), NONE, NONE), levels, value, np.ones(36))
    rows = np.array([[x, c, b] for x in (-1, 0.5, 1, 2, 9, np.nan) for c in (0, 1, np.nan)
                     for b in (0, 1, np.nan)])  # fmt: skip
    made = formula(table, FEATURES, Task(classes))
    np.testing.assert_array_equal(made.outputs(rows), value[table.cell(rows)])
    assert (
        made.outputs(np.array([[0.7, 1, np.nan]]))[0].tolist() == value[1 * 9 + 2 * 3 + 1].tolist()
    )


def test_a_table_of_no_variable_is_one_value() -> None:
    table = CellTable((), (), (), np.array([[7.0]]), np.ones(1))
    assert formula(table, FEATURES, Task()).outputs(np.zeros((2, 3))).tolist() == [[7.0], [7.0]]
