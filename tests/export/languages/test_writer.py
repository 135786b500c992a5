from __future__ import annotations

import numpy as np
import pytest

from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task
from limbeck.export.languages.c import CWriter
from limbeck.export.languages.javascript import JavaScriptWriter
from limbeck.export.languages.python import PythonWriter
from limbeck.export.languages.sql import SqlWriter
from limbeck.students.formula import AtMost, ColumnValue, Constant, Formula, If, Sum

WRITERS = (CWriter, JavaScriptWriter, PythonWriter, SqlWriter)


def value_of(*scores, table=None):
    features = Features.of(np.zeros((2, 3)))
    return Formula(features, Task(), scores, "value", table)


def test_only_columns_that_the_formula_reads_are_read() -> None:
    formula = value_of(
        Sum((ColumnValue(2), If(AtMost(ColumnValue(0), 1.5), *map(Constant, (1, 2)))))
    )
    assert PythonWriter(formula).columns == [0, 2]
    assert "x1" not in PythonWriter(formula).written()


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("value", [np.inf, np.nan])
def test_a_number_that_no_file_can_hold_is_refused(writer, value) -> None:
    with pytest.raises(InvalidInput, match=f"holds {value}, which {writer.language} cannot hold"):
        writer(value_of(Constant(value))).written()


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("table", [None, np.array([[-1.5], [-2.0]])])
def test_numbers_of_numpy_are_written_as_plain_ones(writer, table) -> None:
    formula = value_of(Sum((ColumnValue(0), Constant(np.float64(-1.5)))), table=table)
    source = writer(formula).written()
    assert "-1.5" in source
    assert "np." not in source
