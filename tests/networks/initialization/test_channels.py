from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from limbeck.networks.initialization.from_teacher import init_from_teacher  # noqa: E402

pytestmark = pytest.mark.torch


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def bert(hidden, heads, inner, layers=2, labels=3, seed=0):
    from transformers import BertConfig, BertForSequenceClassification

    torch.manual_seed(seed)
    return BertForSequenceClassification(
        BertConfig(
            num_hidden_layers=layers, hidden_size=hidden, num_attention_heads=heads,
            intermediate_size=inner, vocab_size=30, max_position_embeddings=16, num_labels=labels,
            layer_norm_eps=1e-30,
        )
    ).eval()  # fmt: skip


def resnet(sizes, depths=(1, 2), seed=0):
    from transformers import ResNetConfig, ResNetForImageClassification

    torch.manual_seed(seed)
    return ResNetForImageClassification(
        ResNetConfig(
            embedding_size=sizes[0], hidden_sizes=list(sizes), depths=list(depths),
            layer_type="basic",
        )
    ).eval()  # fmt: skip


def silence(net, dead):
    """Zero all weights that hold channels which are to be dead, by module and axis."""
    with torch.no_grad():
        for name, (axis, channels) in dead.items():
            net.state_dict(keep_vars=True)[name].index_fill_(axis, torch.tensor(channels), 0.0)


def test_a_narrower_mlp_without_its_dead_units_is_the_teacher():
    torch.manual_seed(0)
    teacher = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, 3))
    student = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3))
    silence(teacher, {"2.weight": (1, [0, 3, 7]), "4.weight": (1, [1, 5])})
    silence(teacher, {"0.weight": (0, [0, 3, 7]), "0.bias": (0, [0, 3, 7])})
    silence(teacher, {"2.weight": (0, [1, 5]), "2.bias": (0, [1, 5])})
    report = init_from_teacher(teacher, student, batch=draw(30, 4))
    assert report.share == 1.0
    assert {e.name for e in report.of("copied")} == {"4.bias"}
    assert torch.equal(student[0].weight, teacher[0].weight[[1, 2, 4, 5, 6]])
    x = draw(20, 4, seed=1)
    assert torch.allclose(student(x), teacher(x), atol=1e-6)


def test_a_narrower_cnn_with_flattened_maps():
    torch.manual_seed(0)

    def net(width):
        return nn.Sequential(
            nn.Conv2d(3, width, 3), nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(9 * width, 2),
        ).eval()  # fmt: skip

    teacher, student = net(6), net(4)
    teacher[1].running_mean.copy_(draw(6))
    with torch.no_grad():
        teacher[5].weight.view(2, 6, 3, 3)[:, [0, 4]] = 0.0
        teacher[1].weight[[0, 4]] = 0.0
        teacher[0].weight[[0, 4]] = 0.0
    report = init_from_teacher(teacher, student, batch=draw(2, 3, 8, 8))
    assert report.share == 1.0
    assert torch.equal(student[1].running_mean, teacher[1].running_mean[[1, 2, 3, 5]])
    x = draw(9, 3, 8, 8, seed=1)
    assert torch.allclose(student(x), teacher(x), atol=1e-6)


def test_residual_networks_keep_one_choice_along_the_shortcut():
    teacher, student = resnet((8, 16), (2, 2)), resnet((4, 8), seed=1)
    state = teacher.state_dict(keep_vars=True)
    dead = [0, 2, 5, 6]
    with torch.no_grad():  # the stream of the first stage, whoever writes or reads it
        for name, value in state.items():
            stream = "embedder.embedder" in name or (
                "stages.0.layers" in name and ".layer.1." in name
            )
            if stream and value.ndim and "running" not in name:
                value[dead] = 0.0
            reads = ("stages.0" in name and ".layer.0.convolution" in name) or any(
                f"stages.1.layers.0.{part}.convolution" in name for part in ("shortcut", "layer.0")
            )
            if reads:
                value[:, dead] = 0.0
    report = init_from_teacher(teacher, student, batch=draw(2, 3, 32, 32))
    assert report.share == 1.0
    kept = [1, 3, 4, 7]
    first = "resnet.embedder.embedder.convolution.weight"
    assert torch.equal(student.state_dict()[first], state[first][kept])
    block = "resnet.encoder.stages.0.layers.0.layer.1.convolution.weight"
    assert torch.equal(student.state_dict()[block].sum((1, 2, 3)) != 0, torch.ones(4).bool())


def test_heads_are_kept_whole_where_their_width_stays():
    teacher, student = bert(8, 4, 16), bert(8, 2, 16)
    # 4 heads of width 2 into 2 heads of width 4: laid out in another way, though of equal shapes
    assert init_from_teacher(teacher, student, batch=torch.ones(2, 5).long()).of("selected") == ()

    teacher, student = bert(8, 4, 16), bert(4, 2, 6, seed=1)
    with torch.no_grad():
        for layer in teacher.bert.encoder.layer:
            attention = layer.attention.self
            for dense in (attention.query, attention.key, attention.value):
                dense.weight[[0, 1, 4, 5]] *= 0.01  # heads 0 and 2
            layer.attention.output.dense.weight[:, [0, 1, 4, 5]] *= 0.01
    report = init_from_teacher(teacher, student, batch=torch.ones(2, 5).long())
    assert report.share == 1.0
    for i in range(2):
        new = student.bert.encoder.layer[i].attention.self.query.bias
        assert new.shape == (4,)
        old = teacher.bert.encoder.layer[i].attention.self.query.weight
        rows = student.bert.encoder.layer[i].attention.self.query.weight
        assert all(any(torch.isin(row, old[head]).all() for head in (2, 3, 6, 7)) for row in rows)


def test_a_narrower_transformer_without_its_dead_inner_units_is_the_teacher():
    teacher, student = bert(8, 2, 16), bert(8, 2, 10, seed=1)
    dead = [0, 1, 5, 8, 9, 15]
    with torch.no_grad():
        for layer in teacher.bert.encoder.layer:
            layer.output.dense.weight[:, dead] = 0.0
            layer.intermediate.dense.weight[dead] = 0.0
    ids = torch.randint(0, 30, (4, 6), generator=torch.Generator().manual_seed(0))
    report = init_from_teacher(teacher, student, batch=ids)
    assert report.share == 1.0
    assert {e.name.split(".")[4] for e in report.of("selected")} == {"intermediate", "output"}
    with torch.no_grad():
        assert torch.allclose(student(ids).logits, teacher(ids).logits, atol=1e-6)


def test_shallower_and_narrower_at_once():
    teacher, student = bert(8, 2, 16, layers=6), bert(4, 2, 8, layers=3, seed=1)
    report = init_from_teacher(teacher, student, batch=torch.ones(2, 5).long())
    assert report.share == 1.0
    assert list(report.layers) == [f"bert.encoder.layer.{i}" for i in (0, 2, 5)]


def test_the_same_channels_for_all_layers_of_an_mlp_that_lost_some():
    def net(depth, width):
        inner = [m for _ in range(depth) for m in (nn.Linear(width, width), nn.ReLU())]
        return nn.Sequential(nn.Linear(4, width), nn.ReLU(), *inner, nn.Linear(width, 3))

    torch.manual_seed(0)
    teacher, student = net(4, 8), net(2, 5)
    report = init_from_teacher(teacher, student, batch=draw(2, 4))
    assert report.share == 1.0
    state = teacher.state_dict()
    assert report.layers["8"] == "4"  # after "2", whose output teacher layer 4 read

    def taken(new, old):
        return [state[f"{old}.bias"].tolist().index(v) for v in student[new].bias.tolist()]

    rows, columns = taken(4, 8), taken(2, 2)
    assert torch.equal(student[4].weight, state["8.weight"][rows][:, columns])
    assert torch.equal(student[6].weight, state["10.weight"][:, rows])


class Mixed(nn.Module):
    """Sorts the channels: nobody knows which is which afterwards."""

    def __init__(self, width):
        super().__init__()
        self.a, self.b = nn.Linear(4, width), nn.Linear(width, 2)

    def forward(self, x):
        return self.b(self.a(x).sort(-1).values)


def test_what_cannot_be_followed_is_left():
    student = Mixed(3)
    before = {k: v.clone() for k, v in student.state_dict().items()}
    report = init_from_teacher(Mixed(6), student, batch=draw(5, 4))
    assert {e.name for e in report.of("left")} == {"a.weight", "a.bias", "b.weight"}
    assert all("could not be followed" in e.why for e in report.of("left"))
    assert all(torch.equal(student.state_dict()[k], before[k]) for k in ("a.weight", "b.weight"))


def test_wider_layers_other_inputs_and_unused_ones_are_left():
    def net(ins, width):
        return nn.Sequential(nn.Linear(ins, width), nn.ReLU(), nn.Linear(width, 2))

    report = init_from_teacher(net(4, 5), net(4, 7), batch=draw(2, 4))
    assert {e.why.rpartition("; ")[2] for e in report.of("left")} == {"wider than the teacher's"}

    class Unused(nn.Module):
        def __init__(self, width):
            super().__init__()
            self.used, self.spare = nn.Linear(4, 2), nn.Linear(width, 2)

        def forward(self, x):
            return self.used(x)

    report = init_from_teacher(Unused(5), Unused(3), batch=draw(2, 4))
    assert [e.name for e in report.of("left")] == ["spare.weight"]
    assert "takes no part" in report.of("left")[0].why
