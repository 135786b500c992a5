"""Any student that is a formula, as an ONNX model that gives the same answers in onnxruntime."""

from __future__ import annotations

from pathlib import Path
from typing import Any as AnyValue
from typing import Literal

import numpy as np

from limbeck.core.errors import InvalidInput
from limbeck.students.formula import (
    All,
    Any,
    AtLeast,
    AtMost,
    ColumnValue,
    Constant,
    Expression,
    Filled,
    Formula,
    If,
    Is,
    Missing,
    Not,
    Positive,
    Product,
    Sum,
    Test,
)
from limbeck.students.onnx_file import check_dtype, label_array, onnx_file, require_onnx

__all__ = ["formula_to_onnx"]

_OUTPUTS = ("label", "probabilities", "value")


def formula_to_onnx(
    formula: Formula,
    path: str | Path | None = None,
    dtype: Literal["float64", "float32"] = "float64",
    inputs: Literal["rows", "columns"] = "rows",
) -> AnyValue:
    """Export a formula.

    Everything is computed in float64, in the order of the formula, whatever the type of the inputs.
    Outputs are ``label`` (n,) and ``probabilities`` (n, k) in float64, or ``value`` (n,) for
    regression. What columns mean is in the ``metadata_props``; see
    :func:`limbeck.students.onnx_file.onnx_file`.

    Parameters
    ----------
    formula : Formula
        What a student answers.
    path : str or Path, optional
        A file to write the model to as well.
    dtype : {"float64", "float32"}
        That of numbers in the inputs.
    inputs : {"rows", "columns"}
        One input ``rows`` (n, d), encoded: numbers as they are, booleans as 0 and 1, a category as
        the position of its level, missing as NaN. Or an input (n, 1) for each column, by its name:
        numbers and booleans as before, categories as text; a level that training never saw is
        missing, as the student has it.

    Returns
    -------
    onnx.ModelProto

    Raises
    ------
    InvalidInput
        If there is no such dtype or form of inputs, or a column has no name for an input.
    MissingExtra
        If onnx is not installed.
    FileRefused
        If the file cannot be written.
    """
    check_dtype(dtype)
    if inputs not in ("rows", "columns"):
        raise InvalidInput(f"inputs is {inputs!r}.", "Give 'rows' or 'columns'.")
    if inputs == "columns":
        _check_names(formula)
    require_onnx()
    graph = _FormulaGraph(formula, np.dtype(dtype), inputs)
    outputs = graph.answers()
    return onnx_file(
        "formula", graph.nodes, graph.inputs, outputs, graph.constants, formula.features,
        formula.task, path,
    )  # fmt: skip


def _check_names(formula: Formula) -> None:
    """Refuse names that an input cannot have."""
    for name in formula.features.names:
        if name in _OUTPUTS or not name:
            raise InvalidInput(
                f"A column is called {name!r}, which no input of an ONNX model can be.",
                "Give inputs='rows', or rename the column.",
            )


class _FormulaGraph:
    """The nodes of a formula; one that says the same as another is made once."""

    def __init__(self, formula: Formula, dtype: np.dtype[AnyValue], form: str) -> None:
        from onnx import TensorProto, helper

        self.formula, self.form, self.double = formula, form, TensorProto.DOUBLE
        self.nodes: list[AnyValue] = []
        self.constants: list[AnyValue] = []
        self._made: dict[AnyValue, str] = {}
        number = helper.np_dtype_to_tensor_dtype(dtype)
        make, d = helper.make_tensor_value_info, len(formula.features)
        if form == "rows":
            self.inputs = [make("rows", number, ["n", d])]
        else:
            self.inputs = [
                make(c.name, TensorProto.STRING if c.kind == "categorical" else number, ["n", 1])
                for c in formula.features.columns
            ]
        self._taken = {i.name for i in self.inputs} | set(_OUTPUTS)

    def node(self, kind: str, *inputs: str, name: str = "", **attributes: AnyValue) -> str:
        """The name of an operator's output."""
        from onnx import helper

        key = (kind, inputs, tuple(sorted((k, repr(v)) for k, v in attributes.items())))
        if key not in self._made or name:
            out = name or self._name(kind.lower())
            domain = "ai.onnx.ml" if kind == "LabelEncoder" else ""
            self.nodes.append(
                helper.make_node(kind, list(inputs), [out], domain=domain, **attributes)
            )
            self._made[key] = out
        return self._made[key]

    def constant(self, value: AnyValue) -> str:
        """The name of a constant: a number is a float64, an array as it is."""
        from onnx import numpy_helper

        array = np.asarray(value)
        key = ("constant", array.dtype.str, array.shape, tuple(array.ravel().tolist()))
        if key not in self._made:
            self._made[key] = self._name("constant")
            self.constants.append(numpy_helper.from_array(array, self._made[key]))
        return self._made[key]

    def answers(self) -> list[AnyValue]:
        """Write all; the outputs of the graph."""
        from onnx import helper

        formula, task = self.formula, self.formula.task
        make = helper.make_tensor_value_info
        scores = [self._each(self.number(score)) for score in formula.scores]
        if not task.classifies:
            value = scores[0]
            if formula.table is not None:
                value = self._looked_up(formula.table[:, 0], self._whole(scores[0]))
            self.node("Identity", value, name="value")
            return [make("value", self.double, ["n"])]
        labels, k = label_array(task), len(task.classes)
        if formula.table is not None:
            piece = self._whole(scores[0])
            shares = self._looked_up(formula.table, piece)
            found = self._looked_up(labels[formula.table.argmax(axis=1)], piece)
        elif formula.link == "logistic":
            shares = self._logistic(scores[0], k)
            last = self.node("Greater", scores[0], self.constant(0.0))
            found = self._looked_up(labels[[0, -1]], self._whole(last))
        else:
            shares = self.node("Concat", *map(self._column, scores), axis=1)
            best = self.node("ArgMax", shares, axis=1, keepdims=0)
            if formula.link == "softmax":
                shares = self.node("Softmax", shares, axis=1)
            found = self._looked_up(labels, best)
        self.node("Identity", found, name="label")
        self.node("Identity", shares, name="probabilities")
        kind = helper.np_dtype_to_tensor_dtype(labels.dtype)
        return [make("label", kind, ["n"]), make("probabilities", self.double, ["n", k])]

    def number(self, part: Expression) -> str:
        """A number of the formula."""
        match part:
            case Constant(value):
                return self.constant(float(value))
            case ColumnValue(column):
                return self._value(column)
            case Filled(column, value):
                x = self._value(column)
                return self.node("Where", self.node("IsNaN", x), self.constant(float(value)), x)
            case Sum(parts):
                total = self.number(parts[0])
                for inner in parts[1:]:
                    total = self.node("Add", total, self.number(inner))
                return total
            case Product(inner, factor, divide):
                kind = "Div" if divide else "Mul"
                return self.node(kind, self.number(inner), self.constant(float(factor)))
            case Positive(inner):
                return self.node("Max", self.number(inner), self.constant(0.0))
            case If(test, yes, no):
                return self.node("Where", self.test(test), self.number(yes), self.number(no))

    def test(self, part: Test) -> str:
        """A test of the formula."""
        match part:
            case AtMost(inner, value):
                return self.node("LessOrEqual", self.number(inner), self.constant(float(value)))
            case Is(column, value):
                return self.node("Equal", self._value(column), self.constant(float(value)))
            case Missing(column):
                return self.node("IsNaN", self._value(column))
            case Not(inner):
                return self.node("Not", self.test(inner))
            case All(tests):
                return self._joined("And", tests)
            case Any(tests):
                return self._joined("Or", tests)
            case AtLeast(count, tests):
                total = self.constant(np.int64(0))
                for inner in tests:
                    total = self.node("Add", total, self._whole(self.test(inner)))
                return self.node("GreaterOrEqual", total, self.constant(np.int64(count)))

    def _joined(self, kind: Literal["And", "Or"], tests: tuple[Test, ...]) -> str:
        if not tests:
            return self.constant(kind == "And")
        out = self.test(tests[0])
        for inner in tests[1:]:
            out = self.node(kind, out, self.test(inner))
        return out

    def _value(self, column: int) -> str:
        """The encoded value of a column, float64 of shape (n,)."""
        feature = self.formula.features.columns[column]
        if self.form == "rows":
            x = self.node("Gather", "rows", self.constant(np.int64(column)), axis=1)
        else:
            x = self.node("Reshape", feature.name, self.constant(np.array([-1])))
            if feature.kind == "categorical":
                x = self._position(x, feature.levels)
        return self.node("Cast", x, to=self.double)

    def _position(self, texts: str, levels: tuple[str, ...]) -> str:
        """Positions of levels, NaN for others; whole numbers are exact in float32."""
        if not levels:
            return self.node("LabelEncoder", texts, keys_strings=[""], values_floats=[np.nan],
                             default_float=np.nan)  # fmt: skip
        places = [float(i) for i in range(len(levels))]
        return self.node("LabelEncoder", texts, keys_strings=list(map(str, levels)),
                         values_floats=places, default_float=np.nan)  # fmt: skip

    def _each(self, number: str) -> str:
        """A number for each row, where it may be a constant."""
        rows = self.node("Shape", self.inputs[0].name, start=0, end=1)
        return self.node("Expand", number, rows)

    def _column(self, number: str) -> str:
        return self.node("Unsqueeze", number, self.constant(np.array([1])))

    def _whole(self, number: str) -> str:
        from onnx import TensorProto

        return self.node("Cast", number, to=TensorProto.INT64)

    def _looked_up(self, table: AnyValue, at: str) -> str:
        return self.node("Gather", self.constant(table), at, axis=0)

    def _logistic(self, score: str, k: int) -> str:
        share = self._column(self.node("Sigmoid", score))
        one = self.constant(1.0)
        if k == 1:
            return self._column(self._each(one))
        return self.node("Concat", self.node("Sub", one, share), share, axis=1)

    def _name(self, kind: str) -> str:
        name = f"{kind}_{len(self._made)}"
        while name in self._taken:
            name += "_"
        return name
