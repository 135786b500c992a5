from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.core.task import Task  # noqa: E402
from limbeck.modules.capture import Capture, logits_of  # noqa: E402
from limbeck.networks.datasets.data import Samples  # noqa: E402
from limbeck.networks.strategies.exits import Exits, Head  # noqa: E402
from limbeck.networks.training.settings import Training  # noqa: E402
from limbeck.networks.training.train import train  # noqa: E402

pytestmark = pytest.mark.torch
TASK = Task.of("classification", 3)
X = torch.randn(40, 4, generator=torch.Generator().manual_seed(0))


def net(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 6), nn.Tanh(),
        nn.Linear(6, 3),
    )  # fmt: skip


def test_the_network_answers_as_before():
    plain = net()
    expected = plain(X)
    exits = Exits(plain, {"1": "auto", "3": "auto"}, X)
    assert torch.equal(exits(X), expected)
    assert exits.layers == ("1", "3")
    assert {n for n, _ in exits.named_parameters() if n.startswith("heads")} == {
        f"heads.{i}.answer.{kind}" for i in "13" for kind in ("weight", "bias")
    }


def test_exits_come_in_the_order_in_which_layers_run():
    assert Exits(net(), {"3": "auto", "1": "auto"}, X).layers == ("1", "3")


def test_heads_read_the_layers_they_are_at():
    exits = Exits(net(), {"1": "auto", "3": "auto"}, X)
    found = exits.outputs(X)
    assert list(found) == ["1", "3", "end"]
    with torch.no_grad():
        assert torch.allclose(found["3"], exits.heads["3"](exits.module[:4](X)))
        assert torch.allclose(found["end"], exits.module(X))
    assert exits.training


def test_early_exits_are_the_first_that_are_sure():
    exits = Exits(net(), {"1": "auto", "3": "auto"}, X)
    with torch.no_grad():
        for p in exits.parameters():
            p.mul_(3)  # so that confidences differ
    said = exits.outputs(X)
    sure = torch.stack([v.softmax(-1).amax(-1) >= 0.9 for v in said.values()])
    found = exits.early(X, 0.9)
    assert found.ran == 3
    for row in range(len(X)):
        first = next((e for e in range(3) if sure[e, row]), 2)
        assert found.exits[row] == first
        assert torch.allclose(found.logits[row], list(said.values())[first][row])
    assert set(found.exits.tolist()) == {0, 1, 2}


def test_layers_beyond_the_last_exit_needed_do_not_run():
    exits = Exits(net(), {"1": "auto"}, X)
    ran = []
    exits.module[4].register_forward_hook(lambda *_: ran.append(1))
    found = exits.early(X, 0.01)
    assert found.ran == 1
    assert not ran
    assert torch.allclose(found.logits, exits.outputs(X)["1"])
    ran.clear()
    assert exits.early(X, 1.0).exits.tolist() == [1] * 40
    assert ran == [1]
    assert not exits.module[1]._forward_hooks


def test_self_distillation_trains_all_exits_with_the_loop():
    y = (X[:, 0] > 0).long() + (X[:, 1] > 0).long()
    torch.manual_seed(0)
    exits = Exits(net(), {"1": "auto", "3": "auto"}, X, hint="5")
    objective = exits.objective(teaching=0.3, temperature=3.0, hints=0.03)
    assert objective.names == ("GoldLabels", "ExitLabels", "ExitTargets", "ExitHints")
    assert list(objective.weights(0.0).values()) == pytest.approx([1, 0.7, 0.3, 0.03])
    assert objective.parts[2].term.temperature == 3.0
    trained = train(
        exits, Samples.of(X, y), objective, TASK,
        training=Training(epochs=60, batch_size=40, lr=0.04),
    ).module  # fmt: skip
    before, after = exits.outputs(X), trained.outputs(X)
    for name in ("1", "3", "end"):
        right = [(out[name].argmax(-1) == y).float().mean() for out in (before, after)]
        assert right[1] > 0.9 > right[0]


def test_a_module_or_a_function_makes_a_head():
    own = nn.Linear(8, 3)
    shapes = []

    def make(shape, outs):
        shapes.append((tuple(shape), outs))
        return nn.Linear(shape[-1], outs)

    exits = Exits(net(), {"1": own, "3": make}, X)
    assert exits.heads["1"] is own
    assert shapes == [((40, 8), 3)]
    assert exits.objective().names == ("GoldLabels", "ExitLabels", "ExitTargets")


def test_feature_maps_and_tokens():
    torch.manual_seed(0)
    images = nn.Sequential(nn.Conv2d(3, 5, 3), nn.ReLU(), nn.Flatten(), nn.Linear(180, 2))
    exits = Exits(images, {"1": "auto"}, torch.zeros(2, 3, 8, 8))
    found = exits.outputs(torch.randn(4, 3, 8, 8))
    assert {tuple(v.shape) for v in found.values()} == {(4, 2)}

    head = Head(2, 3, None, tokens=False)
    x = torch.randn(1, 3, 2)
    masked = head(x, torch.tensor([[1, 1, 0]]))
    assert torch.allclose(masked, head(x[:, :2]))


def test_transformers():
    from transformers import BertConfig, BertForTokenClassification

    config = BertConfig(
        num_hidden_layers=3, hidden_size=8, num_attention_heads=2, intermediate_size=16,
        vocab_size=30, num_labels=4,
    )  # fmt: skip
    inputs = {"input_ids": torch.randint(0, 30, (2, 5)), "attention_mask": torch.ones(2, 5)}
    exits = Exits(BertForTokenClassification(config), {"bert.encoder.layer.0": "auto"}, inputs)
    with Capture(exits, ["heads.bert_encoder_layer_0"]) as capture:
        end = logits_of(exits(**inputs), "end")
        assert capture.take()["heads.bert_encoder_layer_0"].shape == end.shape == (2, 5, 4)


def test_names_that_the_network_does_not_take_stay_outside():
    class Named(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(3, 4), nn.Linear(4, 2)

        def forward(self, x):
            return self.b(self.a(x))

    inputs = {"x": torch.randn(5, 3), "place": torch.arange(5)}
    inner = Named()
    exits = Exits(inner, {"a": "auto"}, inputs)
    assert torch.equal(exits(**inputs), inner(inputs["x"]))
    assert exits.outputs(inputs)["a"].shape == (5, 2)


def test_what_it_refuses():
    with pytest.raises(InvalidInput, match="no exit"):
        Exits(net(), {}, X)
    with pytest.raises(InvalidInput, match="no layer '9'"):
        Exits(net(), {"9": "auto"}, X)
    with pytest.raises(InvalidInput, match="'linear'"):
        Exits(net(), {"1": "linear"}, X)
    exits = Exits(net(), {"1": "auto"}, X)
    with pytest.raises(InvalidInput, match="threshold is 0"):
        exits.early(X, 0)
    with pytest.raises(InvalidInput, match="teaching is 2"):
        exits.objective(teaching=2)


def test_layers_whose_names_differ_by_a_dot_have_a_head_each() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a = nn.Module()
            self.a.b, self.a_b, self.end = nn.Linear(4, 5), nn.Linear(5, 6), nn.Linear(6, 2)

        def forward(self, x):
            return self.end(self.a_b(self.a.b(x)))

    x = torch.randn(3, 4)
    exits = Exits(Net(), {"a.b": "auto", "a_b": "auto"}, x)
    assert [head.answer.in_features for head in exits.heads.values()] == [5, 6]
    assert list(exits.outputs(x)) == ["a.b", "a_b", "end"]
    assert exits.early(x, 1.0).logits.shape == (3, 2)
    assert exits.objective().needs.student_layers == ("heads.a_b", "heads.a_b_")


def test_rows_go_where_the_network_is() -> None:
    exits = Exits(net().to("meta"), {"1": "auto", "3": "auto"}, X)
    assert {v.device.type for v in exits.outputs(X).values()} == {"meta"}
