from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from limbeck.core.errors import FileRefused
from limbeck.data.onnx_external import check_external_data, external_data

onnx = pytest.importorskip("onnx")


def outside(location: str, **place: Any) -> Any:
    tensor = onnx.numpy_helper.from_array(np.zeros(2, np.float32), "weights")
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in {"location": location, **place}.items():
        entry = tensor.external_data.add()
        entry.key, entry.value = key, str(value)
    return tensor


def model(*tensors: Any, nodes: Any = ()) -> Any:
    return onnx.helper.make_model(onnx.helper.make_graph(nodes, "g", [], [], tensors))


def test_files_are_found_in_graphs_within_graphs_with_the_bytes_that_they_must_hold() -> None:
    within = onnx.helper.make_graph([], "inner", [], [], [outside("b.bin", offset=4, length=8)])
    branch = onnx.helper.make_node("If", ["c"], [], then_branch=within)
    constant = onnx.helper.make_node("Constant", [], ["x"], value=outside("c.bin"))
    own = onnx.numpy_helper.from_array(np.zeros(3), "own")
    whole = model(own, outside("a.bin", length=8), outside("a.bin", offset=8, length=8),
                  nodes=[branch, constant])  # fmt: skip
    assert external_data(whole) == {"a.bin": 16, "b.bin": 12, "c.bin": 0}
    assert external_data(model(own)) == {}


def test_a_length_that_is_no_number_is_refused() -> None:
    with pytest.raises(FileRefused, match=r"'many' bytes of its weights 'a.bin'"):
        external_data(model(outside("a.bin", length="many")))


def test_only_whole_files_beside_the_model_are_read(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    (tmp_path / "weights.bin").write_bytes(bytes(8))
    (tmp_path.parent / "other.bin").write_bytes(bytes(8))
    check_external_data(path, {"weights.bin": 8}, allowed=True)
    check_external_data(path, {}, allowed=False)
    with pytest.raises(FileRefused, match="external_data=True"):
        check_external_data(path, {"weights.bin": 8}, allowed=False)
    with pytest.raises(FileRefused, match="not there or cut off"):
        check_external_data(path, {"weights.bin": 9}, allowed=True)
    for name in ("../other.bin", str(tmp_path / "weights.bin"), "", "x/../weights.bin"):
        with pytest.raises(FileRefused, match="outside its own folder"):
            check_external_data(path, {name: 0}, allowed=True)
