from __future__ import annotations

import pytest

from limbeck.core.errors import InvalidInput
from limbeck.teachers.onnx.outputs import OnnxOutput, chosen, outputs_of

LABEL, SCORES = OnnxOutput("label", "label", False), OnnxOutput("p", "p", True, (None, 3))
OTHER, LOGITS = OnnxOutput("q", "q", True), OnnxOutput("logits", "logits", True)


@pytest.mark.parametrize(
    ("outputs", "output", "found"),
    [
        ((LABEL, SCORES), None, SCORES),
        ((LABEL,), None, LABEL),
        ((OTHER, SCORES, LOGITS), None, LOGITS),
        ((LABEL, SCORES), "label", LABEL),
        ((LABEL, SCORES), -2, LABEL),
    ],
)
def test_scores_are_taken_before_labels(outputs, output, found):
    assert chosen(outputs, output, "m") is found


@pytest.mark.parametrize(
    ("output", "message"),
    [(None, r"m returns 'p' \(n, 3\), 'q', and which .* Give output='p'"),
     ("pp", "no output 'pp'. Did you mean 'p'"), (2, "no output 2. Give one of 0 to 1"),
     (True, "no output True")],
)  # fmt: skip
def test_an_output_that_may_be_another_is_refused(output, message):
    with pytest.raises(InvalidInput, match=message):
        chosen((SCORES, OTHER), output, "m")


def test_numbers_before_a_zipmap_and_the_last_operation_are_read():
    onnx = pytest.importorskip("onnx")
    made, node = onnx.helper, onnx.helper.make_node
    nodes = [
        node("Softmax", ["x"], ["s"]), node("Reshape", ["s", "k"], ["p"]),
        node("ZipMap", ["p"], ["z"], domain="ai.onnx.ml", classlabels_strings=["no", "yes"]),
        node("Tanh", ["s"], ["t"]),
    ]  # fmt: skip
    each = made.make_map_type_proto(8, made.make_tensor_type_proto(1, None))
    outputs = [made.make_value_info("z", made.make_sequence_type_proto(each)),
               made.make_tensor_value_info("p", 1, ["n", 2]),
               made.make_tensor_value_info("t", 1, ["n", 3])]  # fmt: skip
    graph = made.make_graph(nodes, "g", [made.make_tensor_value_info("x", 1, ["n", 2])], outputs)
    z, p, t = outputs_of(made.make_model(graph))
    assert (z.name, z.fetch, z.classes) == ("z", "p", ("no", "yes"))
    assert (p.sigmoid, p.shape, str(p)) == (True, (None, 2), "'p' (n, 2)")
    assert (t.sigmoid, t.classes) == (False, None)
