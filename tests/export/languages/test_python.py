from __future__ import annotations

import math

import pandas as pd
import pytest

from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.export.languages.python import PythonWriter
from limbeck.students.formula import ColumnValue, Constant, Filled, Formula, If, Is, Product, Sum

FEATURES = Features.of(pd.DataFrame({"it's": [1.0, 2.0], "colour": ["red", "blue"]}))


def module(formula):
    scope: dict = {}
    exec(PythonWriter(formula).written(), scope)
    return scope


def test_a_value_is_computed_from_a_dictionary() -> None:
    blue = FEATURES.columns[1].levels.index("blue")
    score = Sum((Filled(0, 10.0), If(Is(1, blue), Constant(0.5), Constant(-0.5))))
    predict = module(Formula(FEATURES, Task(), (score,), "value"))["predict"]
    assert predict({"it's": 2, "colour": "blue"}) == 2.5
    assert predict({"it's": 2, "colour": "mauve"}) == 1.5
    assert predict({"colour": None}) == 9.5
    with pytest.raises(ValueError, match="inf is no number"):
        predict({"it's": math.inf})


def test_log_odds_far_from_zero_overflow_nowhere() -> None:
    made = module(Formula(FEATURES, Task(("no", "yes")),
                          (Product(ColumnValue(0), 1.0),), "logistic"))  # fmt: skip
    assert made["predict_proba"]({"it's": -1e4}) == {"no": 1.0, "yes": 0.0}
    assert made["predict_proba"]({"it's": 1e4}) == {"no": 0.0, "yes": 1.0}
    assert made["predict"]({"it's": 0.0}) == "no"


def test_the_first_of_equal_scores_is_the_class() -> None:
    task = Task((3, 20, 7))
    scores = (ColumnValue(0), Constant(1000.0), Constant(1000.0))
    made = module(Formula(FEATURES, task, scores, "softmax"))
    assert made["predict"]({"it's": 1000.0}) == 3
    assert made["predict"]({"it's": 0.0}) == 20
    assert made["predict_proba"]({"it's": 0.0}) == {3: 0.0, 20: 0.5, 7: 0.5}
