from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd

from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.export.languages.javascript import JavaScriptWriter
from limbeck.students.formula import AtMost, ColumnValue, Constant, Formula, If, Is

NAME = 'a "b" \\ \u2028 `${x}`\n'
FEATURES = Features.of(pd.DataFrame({NAME: [1.0, 2.0], "who": ["O'Hara", 'Li "x"']}))


def test_names_levels_and_classes_are_read_back_as_they_are() -> None:
    classes = ("it's", 'a "c"')
    score = If(Is(1, 1.0), ColumnValue(0), Constant(0.0))
    formula = Formula(FEATURES, Task(classes), (score,), "logistic")
    source = JavaScriptWriter(formula).written()
    levels = json.loads(re.search(r"^const LEVELS = (.*);$", source, re.M)[1])
    assert levels == {"1": list(FEATURES.columns[1].levels)}
    assert json.loads(re.search(r"^export const CLASSES = (.*);$", source, re.M)[1]) == [*classes]
    assert json.loads(re.search(r"x0 = number\(row\[(.*)\]\);$", source, re.M)[1]) == NAME


def test_a_table_is_indexed_by_its_piece_and_values_have_no_probabilities() -> None:
    piece = If(AtMost(ColumnValue(0), 1.5), Constant(0.0), Constant(1.0))
    table = np.array([[-0.5], [2.0]])
    source = JavaScriptWriter(Formula(FEATURES, Task(), (piece,), "value", table)).written()
    assert "const TABLE = [[-0.5], [2.0]];" in source
    assert "return TABLE[((x0 <= 1.5) ? 0.0 : 1.0)];" in source
    assert "predictProba" not in source
    assert "LEVELS" not in source
