from __future__ import annotations

import pytest

from limbeck.core.errors import FileRefused, InvalidInput
from limbeck.students.text_classifier.encoder_classifier import EncoderClassifier, _session


def test_an_encoder_is_distilled_and_never_fitted() -> None:
    with pytest.raises(InvalidInput, match=r"not fitted by itself.*encoder="):
        EncoderClassifier().fit(["a", "b"], [0, 1])


def test_a_graph_that_is_none_or_another_is_refused() -> None:
    pytest.importorskip("onnxruntime")
    onnx = pytest.importorskip("onnx")
    with pytest.raises(FileRefused, match="The graph cannot be run"):
        _session(b"no graph")
    ends = [onnx.helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, [1]) for n in "xy"]
    node = onnx.helper.make_node("Identity", ["x"], ["y"])
    graph = onnx.helper.make_graph([node], "g", ends[:1], ends[1:])
    opset = [onnx.helper.make_opsetid("", 21)]
    model = onnx.helper.make_model(graph, ir_version=10, opset_imports=opset)
    with pytest.raises(FileRefused, match=r"The graph is from \['x'\] to \['y'\]"):
        _session(model.SerializeToString())
