from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from limbeck.core.column import Feature
from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput
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
)
from limbeck.students.formula_onnx import formula_to_onnx

pytest.importorskip("onnx")
ort = pytest.importorskip("onnxruntime")

FEATURES = Features((Feature("x"), Feature("c", "categorical", levels=("u", "v"))))
SMALL, V = AtMost(ColumnValue(0), 0.5), Is(1, 1.0)
SCORE = Sum((
    Product(Positive(Filled(0, 0.25)), 3.0, divide=True),
    If(All((Not(SMALL), V)), Constant(1.0), Product(Filled(0, 1.0), 0.1)),
    If(Any((Missing(0), Missing(1), All(()))), Constant(-0.5), Constant(0.5)),
    If(AtLeast(2, (SMALL, V, Missing(0))), Constant(0.3), Constant(-0.7)),
))  # fmt: skip
ROWS = np.array([[x, c] for x in (-1, 0.5, 0.7, 9, np.nan) for c in (0, 1, np.nan)])
TASKS = {"value": Task(), "logistic": Task((3, 7)), "softmax": Task(("a", "b", "c"))}


def made(link: str) -> Formula:
    more = (Constant(0.1), Product(Filled(0, 2.0), -1.0)) if link == "softmax" else ()
    return Formula(FEATURES, TASKS[link], (SCORE, *more), link)


def run(model, given) -> dict:
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return dict(zip([o.name for o in session.get_outputs()], session.run(None, given), strict=True))


@pytest.mark.parametrize("link", TASKS)
def test_the_graph_computes_the_formula(link: str) -> None:
    formula = made(link)
    found = run(formula_to_onnx(formula), {"rows": ROWS})
    if link == "value":
        np.testing.assert_array_equal(found["value"], formula.outputs(ROWS)[:, 0])
        return
    np.testing.assert_allclose(found["probabilities"], formula.outputs(ROWS), atol=1e-12)
    labels = np.array(formula.task.classes)[formula.positions(ROWS)]
    assert found["label"].tolist() == labels.tolist()


def test_columns_are_inputs_and_a_level_never_seen_is_missing() -> None:
    rows = pd.DataFrame({"x": [1.0, np.nan], "c": ["v", "new"]})
    given = {name: rows[[name]].to_numpy() for name in rows}
    given["x"] = given["x"].astype(np.float32)
    found = run(formula_to_onnx(made("value"), dtype="float32", inputs="columns"), given)
    expected = made("value").outputs(np.array([[1.0, 1], [np.nan, np.nan]]))
    np.testing.assert_array_equal(found["value"], expected[:, 0])


def test_what_cannot_be_written_is_refused() -> None:
    with pytest.raises(InvalidInput, match="dtype is 'int8'"):
        formula_to_onnx(made("value"), dtype="int8")  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match=r"inputs is 'cells'.*'rows' or 'columns'"):
        formula_to_onnx(made("value"), inputs="cells")  # type: ignore[arg-type]
    named = Formula(Features((Feature("label"),)), Task(), (Filled(0, 0.0),), "value")
    with pytest.raises(InvalidInput, match="A column is called 'label'"):
        formula_to_onnx(named, inputs="columns")
