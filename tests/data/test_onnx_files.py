"""ONNX files answer by what is in them alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from limbeck.core.errors import FileRefused
from limbeck.data.onnx_files import open_onnx

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


def model(weights: np.ndarray) -> onnx.ModelProto:
    w = onnx.numpy_helper.from_array(weights, "w")
    info = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("MatMul", ["x", "w"], ["y"])], "g",
        [info("x", 1, [None, 4])], [info("y", 1, [None, 2])], [w],
    )  # fmt: skip
    return onnx.helper.make_model(
        graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8
    )


def test_a_file_with_its_weights_is_opened(tmp_path: Path) -> None:
    weights = np.arange(8, dtype=np.float32).reshape(4, 2)
    onnx.save_model(model(weights), tmp_path / "m.onnx")
    opened = open_onnx(tmp_path / "m.onnx")
    x = np.ones((3, 4), np.float32)
    np.testing.assert_array_equal(opened.session().run(None, {"x": x})[0], x @ weights)
    assert opened.model.graph.initializer[0].name == "w"
    assert opened.content == (tmp_path / "m.onnx").read_bytes()


@pytest.mark.parametrize("place", ["initializer", "attribute"])
def test_weights_elsewhere_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.chdir(tmp_path)  # where onnxruntime would look for them
    made = model(np.ones((4, 2), np.float32))
    if place == "attribute":
        node = onnx.helper.make_node("Constant", [], ["w"], value=made.graph.initializer[0])
        made.graph.node.insert(0, node)
        del made.graph.initializer[:]
    onnx.save_model(
        made, "m.onnx", save_as_external_data=True, location="w.bin", size_threshold=0,
        convert_attribute=True,
    )  # fmt: skip
    assert (tmp_path / "w.bin").exists()
    with pytest.raises(FileRefused, match=r"'m.onnx' keeps its weights in another file, 'w.bin'"):
        open_onnx(Path("m.onnx"))


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="cannot be read"):
        open_onnx(tmp_path / "absent.onnx")
    (tmp_path / "bad.onnx").write_bytes(b"no graph")
    with pytest.raises(FileRefused, match=r"'bad.onnx' is no ONNX file, or is cut off: 8 bytes"):
        open_onnx(tmp_path / "bad.onnx")
