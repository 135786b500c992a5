from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from limbeck.networks.initialization.tracing import trace  # noqa: E402

pytestmark = pytest.mark.torch


def roots(module, inputs):
    found = trace(module, inputs).axes
    return {
        n: tuple(None if a[0].space is None else a[0].space.root() for a in axes)
        for n, axes in found.items()
    }


def test_what_a_layer_writes_the_next_one_reads():
    found = roots(nn.Sequential(nn.Linear(3, 5), nn.GELU(), nn.Linear(5, 2)), torch.zeros(2, 3))
    assert found["0.weight"][0] is found["0.bias"][0] is found["2.weight"][1]
    assert found["2.weight"][0] is not found["0.weight"][0]
    assert found["0.weight"][1].fixed  # inputs
    assert found["2.weight"][0].fixed  # outputs
    assert not found["0.weight"][0].fixed


@pytest.mark.parametrize("kind", ["sdpa", "eager"])
def test_a_transformer_has_one_stream_and_heads_of_its_own_a_layer(kind):
    from transformers import BertConfig, BertForSequenceClassification

    config = BertConfig(
        num_hidden_layers=2, hidden_size=8, num_attention_heads=2, intermediate_size=12,
        vocab_size=20, attn_implementation=kind,
    )  # fmt: skip
    ids = torch.ones(3, 5).long()
    mask = torch.tensor([[1] * 5, [1] * 4 + [0], [1] * 5])
    found = roots(BertForSequenceClassification(config), {"input_ids": ids, "attention_mask": mask})
    stream = found["bert.embeddings.word_embeddings.weight"][1]
    assert found["bert.embeddings.word_embeddings.weight"][0].fixed
    seen = []
    for i in range(2):
        layer = f"bert.encoder.layer.{i}"
        assert found[f"{layer}.output.LayerNorm.weight"][0] is stream
        assert found[f"{layer}.intermediate.dense.weight"][1] is stream
        inner = found[f"{layer}.intermediate.dense.weight"][0]
        assert inner is found[f"{layer}.output.dense.weight"][1]
        heads = found[f"{layer}.attention.self.query.weight"][0]
        assert heads.split == (2, 4)
        for part in ("key", "value"):
            assert found[f"{layer}.attention.self.{part}.weight"][0] is heads
        assert found[f"{layer}.attention.output.dense.weight"][1] is heads
        seen += [inner, heads]
    assert len({id(s) for s in [stream, *seen]}) == 5
    assert not any(s.lost or s.fixed for s in [stream, *seen])


class Odd(nn.Module):
    def __init__(self, mix):
        super().__init__()
        self.a, self.b, self.mix = nn.Linear(3, 6), nn.Linear(6, 2), mix

    def forward(self, x):
        return self.b(self.mix(self.a(x)))


@pytest.mark.parametrize(
    ("mix", "followed"),
    [
        (torch.relu, True),
        (lambda x: x / (x - x.mean(-1, keepdim=True)).square().sum(-1, keepdim=True), True),
        (lambda x: x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1), True),
        (lambda x: functional.softmax(x, -1) + x[:, :], True),
        (lambda x: x.flip(-1), False),
        (lambda x: x.roll(1, -1), False),
        (lambda x: x[:, ::2].repeat_interleave(2, -1), False),
        (lambda x: x.cumsum(-1), False),
        (lambda x: x.reshape(-1, 2, 3).transpose(1, 2).reshape(-1, 6), False),
        (lambda x: x.reshape(-1, 2, 3).tanh().reshape(-1, 6), True),
    ],
)
def test_only_what_keeps_channels_in_place_is_followed(mix, followed):
    found = roots(Odd(mix), torch.randn(4, 3))
    written, read = found["a.weight"][0], found["b.weight"][1]
    assert (written is read and not written.lost) == followed
    if not followed:
        assert written.lost or read is None or read.lost or read.fixed


def test_depthwise_and_transposed_convolutions():
    net = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3, groups=4), nn.ConvTranspose2d(4, 5, 2),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 2),
    )  # fmt: skip
    found = roots(net, torch.zeros(2, 3, 9, 9))
    assert found["0.weight"][0] is found["1.weight"][0] is found["2.weight"][0]
    assert found["2.weight"][1] is found["5.weight"][1]


def test_the_network_is_left_as_it_was():
    net = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5), nn.Linear(4, 2)).train()
    trace(net, torch.zeros(2, 3))
    assert net.training
    assert net[1].training
    assert net[0].weight.requires_grad


def test_weights_that_take_no_part_are_absent():
    net = nn.ModuleDict({"a": nn.Linear(2, 2), "b": nn.Linear(2, 2)})
    net.forward = lambda x: net["a"](x)
    assert set(trace(net, torch.zeros(2, 2)).axes) == {"a.weight", "a.bias"}


class SharedKeys(nn.Module):
    """Attention in which two queries share their keys."""

    def __init__(self) -> None:
        super().__init__()
        self.q, self.kv = nn.Linear(8, 16), nn.Linear(8, 16)
        self.out = nn.Linear(16, 2)

    def forward(self, x):
        q = self.q(x).unflatten(-1, (4, 4)).transpose(1, 2)
        k, v = self.kv(x).unflatten(-1, (2, 2, 4)).unbind(2)
        k, v = k.transpose(1, 2), v.transpose(1, 2)
        heads = functional.scaled_dot_product_attention(q, k, v, enable_gqa=True)
        return self.out(heads.transpose(1, 2).flatten(2))


def test_attention_is_one_operation_whatever_a_device_makes_of_it():
    from torch.nn.attention import SDPBackend, sdpa_kernel

    torch.manual_seed(0)
    module, x = SharedKeys(), torch.randn(3, 5, 8)
    before = trace(module, x)
    with sdpa_kernel(SDPBackend.MATH):  # as in float32 on a GPU
        after = trace(module, x)
    for found in (before, after):
        heads = [f.space.root() for f in found.axes["q.weight"][0] if f.space is not None]
        assert heads[0] in [f.space.root() for f in found.axes["out.weight"][1] if f.space]
        assert not heads[0].lost
    shapes = [{n: [[f.size for f in a] for a in axes] for n, axes in t.axes.items()}
              for t in (before, after)]  # fmt: skip
    assert shapes[0] == shapes[1]
