from __future__ import annotations

import copy

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnxscript")
import onnxruntime  # noqa: E402
from torch import nn  # noqa: E402

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.export.onnx_graph import export_onnx  # noqa: E402

pytestmark = pytest.mark.torch


def session(path):
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def test_onnx_of_a_cnn_for_any_number_of_rows(tmp_path, cnn, images):
    net = cnn().train()
    before = copy.deepcopy(net.state_dict())
    found = export_onnx(net, images, tmp_path / "net.onnx", metadata={"a": "b"})
    assert found.rows == 5
    assert found.difference < 1e-5
    assert net.training
    assert all(torch.equal(v, before[k]) for k, v in net.state_dict().items())
    runner = session(found.path)
    assert [i.name for i in runner.get_inputs()] == ["input"]
    assert [o.name for o in runner.get_outputs()] == ["logits"]
    assert runner.get_modelmeta().custom_metadata_map["a"] == "b"
    many = torch.randn(17, 3, 8, 8)
    with torch.no_grad():
        expected = net.eval()(many).numpy()
    assert np.allclose(runner.run(None, {"input": many.numpy()})[0], expected, atol=1e-5)


@pytest.mark.slow
def test_onnx_of_a_transformer_with_named_inputs_of_any_length(tmp_path, bert):
    net = bert().eval()
    ids = torch.randint(0, 30, (3, 7), generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(ids)
    mask[1, 4:] = 0
    inputs = {"input_ids": ids, "attention_mask": mask}
    found = export_onnx(net, inputs, tmp_path / "net.onnx")
    assert found.difference < 1e-5
    runner = session(found.path)
    assert [i.name for i in runner.get_inputs()] == ["input_ids", "attention_mask"]
    longer = torch.randint(0, 30, (4, 11))
    with torch.no_grad():
        expected = net(longer).logits.numpy()
    fed = {"input_ids": longer.numpy(), "attention_mask": np.ones((4, 11), dtype=np.int64)}
    assert np.allclose(runner.run(None, fed)[0], expected, atol=1e-5)


def test_a_graph_that_answers_otherwise_is_not_written(tmp_path):
    class Remembers(nn.Module):
        """The export freezes how often it was called."""

        def __init__(self):
            super().__init__()
            self.calls = 0

        def forward(self, x):
            self.calls += 1
            return x * self.calls

    with pytest.raises(InvalidInput, match="onnxruntime's logits are up to"):
        export_onnx(Remembers(), torch.ones(3, 2), tmp_path / "net.onnx")
    assert not (tmp_path / "net.onnx").exists()


def test_one_row_is_refused(tmp_path, cnn, images):
    with pytest.raises(InvalidInput, match="1 row"):
        export_onnx(cnn(), images[:1], tmp_path / "net.onnx")


@pytest.mark.parametrize("hidden", [True, False])
def test_answers_on_padding_may_be_anything(tmp_path, hidden):
    """Kernels differ where a token sees nothing at all; there an answer means nothing."""

    class Marked(nn.Module):
        """Once exported, it answers otherwise on padding, or on tokens."""

        def __init__(self):
            super().__init__()
            self.table = nn.Embedding(9, 4)

        def forward(self, input_ids, attention_mask):
            there = attention_mask[..., None] == (0 if hidden else 1)
            return self.table(input_ids) + there * torch.onnx.is_in_onnx_export()

    rows = {
        "input_ids": torch.tensor([[0, 0, 3], [1, 2, 3]]),
        "attention_mask": torch.tensor([[0, 0, 1], [1, 1, 1]]),
    }
    if hidden:
        assert export_onnx(Marked(), rows, tmp_path / "net.onnx").difference < 1e-6
    else:
        with pytest.raises(InvalidInput, match="onnxruntime's logits are up to 1 away"):
            export_onnx(Marked(), rows, tmp_path / "net.onnx")
