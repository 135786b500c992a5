from __future__ import annotations

import json
from pathlib import Path

import pytest

from limbeck.core.column import Feature
from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task
from limbeck.students.onnx_file import check_dtype, label_array, onnx_file

onnx = pytest.importorskip("onnx")


def test_labels_are_numbers_or_text() -> None:
    assert label_array(Task((1, 2, 5))).dtype == "int64"
    assert label_array(Task(("no", "yes"))).tolist() == ["no", "yes"]
    assert label_array(Task((1, "one"))).tolist() == ["1", "one"]


def test_a_file_says_what_its_columns_mean(tmp_path: Path) -> None:
    path = tmp_path / "student.onnx"
    number = onnx.helper.make_tensor_value_info("rows", onnx.TensorProto.DOUBLE, ["n", 1])
    value = onnx.helper.make_tensor_value_info("value", onnx.TensorProto.DOUBLE, ["n", 1])
    node = onnx.helper.make_node("Identity", ["rows"], ["value"])
    features = Features((Feature("c", "categorical", levels=("é", "v")),))
    model = onnx_file("g", [node], [number], [value], [], features, Task(unit="kg"), path)
    assert onnx.load(path) == model
    onnx.checker.check_model(model)
    says = {p.key: p.value for p in model.metadata_props}
    assert "é" in json.dumps(json.loads(says["limbeck.features"]), ensure_ascii=False)
    assert says["limbeck.unit"] == "kg"
    other = Features((Feature("c", "categorical", levels=("v", "é")),))
    again = onnx_file("g", [node], [number], [value], [], other, Task(), None)
    digest = {p.key: p.value for p in again.metadata_props}["limbeck.features.sha256"]
    assert digest != says["limbeck.features.sha256"]  # codes go by the order of levels


def test_whole_numbers_are_no_inputs() -> None:
    check_dtype("float32")
    with pytest.raises(InvalidInput, match="dtype is 'int64'"):
        check_dtype("int64")
