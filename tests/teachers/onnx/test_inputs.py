from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from limbeck.core.errors import InvalidInput
from limbeck.teachers.onnx.file import OnnxInput
from limbeck.teachers.onnx.inputs import feeds_of

WIDE, ONE = ("x", "float32", (None, 2)), ("z", "int64", (None, 1))


def file(*inputs):
    return SimpleNamespace(inputs=tuple(OnnxInput(*i) for i in inputs), path=Path("m.onnx"))


def test_inputs_are_found_by_name_order_or_column():
    x, z = np.arange(4.0).reshape(2, 2), np.array([[5.0], [6.0]])
    frame = pd.DataFrame({"z": [5, 6], "x[1]": x[:, 1], "more": 0, "x[0]": x[:, 0]})
    both = file(WIDE, ONE)
    for batch, columns in [
        ({"z": z, "x": x, "more": 0}, None), ((x, z), None), (frame, None),
        (np.column_stack([z, x]), {"x": [1, 2], "z": [0]}),
        (frame, {"z": ["z"], "x": ["x[0]", "x[1]"]}),
    ]:  # fmt: skip
        found = feeds_of(both, batch, columns)
        assert {n: v.dtype.name for n, v in found.items()} == {"x": "float32", "z": "int64"}
        assert found["x"].tolist() == x.tolist()
        assert found["z"].tolist() == [[5], [6]]


@pytest.mark.parametrize(
    ("inputs", "batch", "columns", "message"),
    [
        ([WIDE, ONE], {"x": [[1, 2]], "Z": [[1]]}, None, "input 'z' of m.onnx was not given"),
        ([WIDE, ONE], ([[1, 2]],), None, "takes 2 inputs, and 1 were given. Give x, z"),
        ([WIDE, ONE], np.zeros((1, 3)), None, r"'x' float32 \(n, 2\), 'z' int64 \(n, 1\)"),
        ([WIDE, ONE], pd.DataFrame({"x[0]": [1], "x[1]": [2]}), None, "'z' of m.onnx is none of"),
        ([WIDE], pd.DataFrame({"a": [1]}), {"x": ["b"]}, "no column 'b' for m.onnx"),
        ([WIDE], np.zeros((1, 3)), None, r"rows of shape \(2,\), and these have shape \(3,\)"),
        ([WIDE], [["1", "a"]], None, "takes float32, and the rows hold '1'"),
        ([ONE], [[np.nan]], None, "takes whole numbers, and a row holds nan"),
        ([("t", "object", (None, 1))], [["a"], [3]], None, None),
        ([("t", "object", (None, 1))], np.array([["a"], [3]], dtype=object), None, "holds 3"),
        ([("t", "seq(tensor)", (None,))], ["a"], None, "which rows cannot be"),
    ],
)
def test_rows_that_do_not_fit_an_input_are_refused(inputs, batch, columns, message):
    if message is None:
        assert feeds_of(file(*inputs), batch)["t"].tolist() == [["a"], ["3"]]
        return
    with pytest.raises(InvalidInput, match=message):
        feeds_of(file(*inputs), batch, columns)
