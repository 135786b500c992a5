from __future__ import annotations

import json

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnxscript")
import onnx  # noqa: E402
from safetensors.torch import load_model  # noqa: E402
from torch import nn  # noqa: E402

from limbeck.export.networks import export_network, write_student  # noqa: E402
from limbeck.modules.fingerprint import fingerprint  # noqa: E402

pytestmark = pytest.mark.torch


def test_weights_come_back_bit_for_bit(tmp_path, cnn):
    net = cnn()
    files = write_student(net, tmp_path)
    assert {f.name for f in files} == {"model.safetensors", "config.json"}
    other = cnn(seed=1)
    load_model(other, str(tmp_path / "model.safetensors"))
    assert fingerprint(other) == fingerprint(net)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["class"] == "torch.nn.modules.container.Sequential"
    assert config["shapes"]["0.weight"] == [4, 3, 3, 3]
    assert config["fingerprint"] == fingerprint(net)


def test_tied_weights(tmp_path):
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Embedding(5, 3)
            self.out = nn.Linear(3, 5, bias=False)
            self.out.weight = self.embed.weight

    net, other = Tied(), Tied()
    write_student(net, tmp_path)
    load_model(other, str(tmp_path / "model.safetensors"))
    assert torch.equal(other.out.weight, net.embed.weight)
    assert other.out.weight is other.embed.weight


def test_transformers_are_read_by_from_pretrained(tmp_path, bert):
    from transformers import BertForSequenceClassification

    net = bert()
    write_student(net, tmp_path)
    again = BertForSequenceClassification.from_pretrained(tmp_path)
    assert all(torch.equal(v, again.state_dict()[k]) for k, v in net.state_dict().items())


class Branches(nn.Module):
    """Takes another way for other values: no graph can follow."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 2)

    def forward(self, x):
        return self.layer(x) if float(x.sum()) > 0 else -self.layer(x)


def test_the_rest_is_written_where_onnx_fails(tmp_path):
    found = export_network(Branches(), torch.ones(4, 2), tmp_path / "new")
    assert found.onnx is None
    assert found.problem.startswith("Branches cannot be exported to ONNX")
    assert {f.name for f in (tmp_path / "new").iterdir()} == {"model.safetensors", "config.json"}


def test_hand_over_writes_all_three(tmp_path, cnn, images):
    found = export_network(cnn(), images, tmp_path)
    assert {f.name for f in found.files} == {"model.safetensors", "config.json", "student.onnx"}
    assert all(f.exists() for f in found.files)
    onnx.checker.check_model(str(tmp_path / "student.onnx"))
    assert found.problem == ""
