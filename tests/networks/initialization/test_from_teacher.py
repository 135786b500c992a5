from __future__ import annotations

import copy

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.networks.initialization.from_teacher import init_from_teacher  # noqa: E402

pytestmark = pytest.mark.torch
NO_BATCH = "channels are selected where there is a batch"


def mlp(depth, width=6, ins=4, outs=3, seed=0):
    torch.manual_seed(seed)
    layers = [nn.Linear(ins, width), nn.ReLU()]
    for _ in range(depth - 2):
        layers += [nn.Linear(width, width), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(width, outs))


def bert(layers, hidden=8, seed=0, labels=3, body=False):
    from transformers import BertConfig, BertForSequenceClassification, BertModel

    torch.manual_seed(seed)
    config = BertConfig(
        num_hidden_layers=layers,
        hidden_size=hidden,
        num_attention_heads=2,
        intermediate_size=2 * hidden,
        vocab_size=30,
        max_position_embeddings=16,
        num_labels=labels,
    )
    return (BertModel if body else BertForSequenceClassification)(config)


def resnet(depths, kind="basic", sizes=(8, 16), seed=0):
    from transformers import ResNetConfig, ResNetForImageClassification

    torch.manual_seed(seed)
    config = ResNetConfig(
        embedding_size=8, hidden_sizes=list(sizes), depths=list(depths), layer_type=kind
    )
    return ResNetForImageClassification(config)


def same(student, teacher, place, source):
    new, old = student.get_submodule(place), teacher.get_submodule(source)
    return all(torch.equal(v, old.state_dict()[k]) for k, v in new.state_dict().items())


@pytest.mark.parametrize(
    ("rule", "taken"),
    [
        ("every second", (0, 2, 5)),
        ("first", (0, 1, 2)),
        ("first and last", (0, 1, 5)),
        ([1, 3, 4], (1, 3, 4)),
    ],
)
def test_bert_of_six_layers_into_three(rule, taken):
    teacher, student = bert(6), bert(3, seed=1)
    before = copy.deepcopy(teacher.state_dict())
    report = init_from_teacher(teacher, student, rule)
    for i, source in enumerate(taken):
        assert same(student, teacher, f"bert.encoder.layer.{i}", f"bert.encoder.layer.{source}")
    for place in ("bert.embeddings", "bert.pooler", "classifier"):
        assert same(student, teacher, place, place)
    assert report.share == 1.0
    assert report.of("left") == ()
    assert report.layers == {
        f"bert.encoder.layer.{t}": f"bert.encoder.layer.{i}" for i, t in enumerate(taken)
    }
    assert all(torch.equal(v, before[k]) for k, v in teacher.state_dict().items())
    assert student.bert.encoder.layer[1].output.dense.weight.requires_grad


def test_the_student_is_the_teacher_without_some_layers():
    teacher, student = bert(4).eval(), bert(2, seed=1).eval()
    init_from_teacher(teacher, student, "first")
    teacher.bert.encoder.layer = teacher.bert.encoder.layer[:2]
    ids = torch.arange(12).reshape(2, 6)
    with torch.no_grad():
        assert torch.equal(teacher(ids).logits, student(ids).logits)


def test_a_body_into_a_body_with_a_head_and_back():
    report = init_from_teacher(bert(4, body=True), student := bert(2, seed=1))
    assert {e.name for e in report.of("left")} == {"classifier.weight", "classifier.bias"}
    assert {e.why for e in report.of("left")} == {"the teacher has none"}
    assert report.layers["encoder.layer.3"] == "bert.encoder.layer.1"
    body = bert(2, seed=2, body=True)
    assert init_from_teacher(student, body).share == 1.0
    assert same(body, student, "encoder", "bert.encoder")


def test_other_classes_keep_their_own_head():
    student = bert(3, seed=1, labels=5)
    head = student.classifier.weight.clone()
    report = init_from_teacher(bert(6), student)
    assert torch.equal(student.classifier.weight, head)
    assert [(e.name, e.why) for e in report.of("left")] == [
        ("classifier.weight", f"3 x 8 in the teacher, 5 x 8 here; {NO_BATCH}"),
        ("classifier.bias", f"3 in the teacher, 5 here; {NO_BATCH}"),
    ]
    sizes = sum(p.numel() for p in student.parameters())
    assert report.share == pytest.approx(1 - 45 / sizes)


def test_residual_blocks_with_a_shortcut_first():
    teacher, student = resnet([3, 4]), resnet([2, 2], seed=1)
    report = init_from_teacher(teacher, student)
    stage = "resnet.encoder.stages.{}.layers.{}".format
    assert report.layers == {
        stage(0, 0): stage(0, 0),
        stage(0, 2): stage(0, 1),
        stage(1, 0): stage(1, 0),  # the one with the shortcut
        stage(1, 1): stage(1, 1),
    }
    assert same(student, teacher, stage(1, 0), stage(1, 0))
    assert same(student, teacher, stage(0, 1), stage(0, 2))
    assert report.share == 1.0
    statistics = "resnet.embedder.embedder.normalization.running_var"
    assert torch.equal(student.state_dict()[statistics], teacher.state_dict()[statistics])


def test_blocks_built_in_another_way_are_left_and_reported():
    teacher, student = resnet([2, 2], "bottleneck"), resnet([1, 1], seed=1)
    before = copy.deepcopy(student.resnet.encoder.state_dict())
    report = init_from_teacher(teacher, student)
    assert all(torch.equal(v, before[k]) for k, v in student.resnet.encoder.state_dict().items())
    whys = {e.why for e in report.of("left") if "encoder" in e.name}
    assert whys == {"ResNetBottleNeckLayer in the teacher, ResNetBasicLayer here"}
    assert same(student, teacher, "resnet.embedder", "resnet.embedder")


def test_a_plain_mlp_keeps_its_ends():
    teacher, student = mlp(8), mlp(5, seed=1)
    report = init_from_teacher(teacher, student)
    assert report.share == 1.0
    assert list(report.layers.items()) == [
        ("0", "0"),
        ("2", "2"),
        ("6", "4"),  # of six inner layers the first, round(2.5) and the last
        ("12", "6"),
        ("14", "8"),
    ]
    assert same(student, teacher, "4", "6")


def test_named_layers_of_networks_with_other_names():
    class Net(nn.Module):
        def __init__(self, names):
            super().__init__()
            for name in names:
                self.add_module(name, nn.Linear(3, 3))

    teacher, student = Net(["a", "b", "c"]), Net(["x", "y"])
    report = init_from_teacher(teacher, student, {"c": "y"})
    assert same(student, teacher, "y", "c")
    assert not same(student, teacher, "x", "a")
    assert report.share == 0.5
    with pytest.raises(InvalidInput, match="teacher has no layer ''"):
        init_from_teacher(teacher, student, {"": "y"})
    with pytest.raises(InvalidInput, match="teacher has no layer 'd'"):
        init_from_teacher(teacher, student, {"d": "y"})


def test_named_layers_of_a_stack_leave_the_others():
    teacher, student = bert(6), bert(3, seed=1)
    layer = "bert.encoder.layer.{}".format
    report = init_from_teacher(teacher, student, {layer(4): layer(1)})
    assert same(student, teacher, layer(1), layer(4))
    assert not same(student, teacher, layer(0), layer(0))
    assert same(student, teacher, "bert.embeddings", "bert.embeddings")
    assert {e.why for e in report.of("left")} == {"no layer was named for it"}


def test_layers_that_change_nothing_are_dropped():
    class Block(nn.Module):
        def __init__(self, size):
            super().__init__()
            self.dense = nn.Linear(5, 5)
            self.size = size

        def forward(self, x):
            return x + self.size * torch.tanh(self.dense(x))

    torch.manual_seed(0)
    sizes = (3.0, 0.01, 3.0, 0.0, 3.0, 0.02)
    teacher = nn.Sequential(*[Block(s) for s in sizes]).train()
    student = nn.Sequential(*[Block(1.0) for _ in range(3)])
    report = init_from_teacher(teacher, student, "similar", batch=torch.randn(50, 5))
    assert list(report.layers) == ["0", "2", "4"]
    assert teacher[0].training
    assert not teacher[0]._forward_hooks
    with pytest.raises(InvalidInput, match="no batch"):
        init_from_teacher(teacher, student, "similar")


def test_shapes_that_fit_in_no_way_are_left():
    teacher, student = nn.Linear(4, 3), nn.Linear(4, 2)
    before = student.weight.clone()
    report = init_from_teacher(teacher, student)
    assert torch.equal(student.weight, before)
    assert report.share == 0.0
    assert report.of("left")[0].why == f"3 x 4 in the teacher, 2 x 4 here; {NO_BATCH}"
    report = init_from_teacher(teacher, student, batch=torch.zeros(2, 4))
    assert "outputs" in report.of("left")[0].why


def test_what_it_refuses():
    with pytest.raises(InvalidInput, match=r"'every secnd'.*'every second'"):
        init_from_teacher(mlp(4), mlp(3), "every secnd")
    with pytest.raises(InvalidInput, match=r"3 blocks and the teacher's 6"):
        init_from_teacher(bert(6), bert(3), [0, 1])
    with pytest.raises(InvalidInput, match=r"\[0, 1, 6\]"):
        init_from_teacher(bert(6), bert(3), [0, 1, 6])
    with pytest.raises(InvalidInput, match="no stack"):
        init_from_teacher(bert(3), bert(3), [0, 1, 2])


def test_a_deeper_student_is_left_where_it_is_deeper():
    report = init_from_teacher(bert(2), bert(3, seed=1))
    assert {e.why for e in report.of("left")} == {"a stack of 2 in the teacher, of 3 here"}


def test_it_prints_a_table():
    report = init_from_teacher(bert(6), bert(3, seed=1, labels=5))
    text = " ".join(str(report).split())
    assert "bert.encoder.layer.5" in text
    assert (
        f"Left as they were ({NO_BATCH}): classifier.weight (3 x 8 in the teacher, 5 x 8 here)"
        in text
    )
    assert f"{100 * report.share:.1f}%" in text
    assert '<span class="name">bert.encoder.layer.5</span>' in report._repr_html_()


def test_selected_channels_need_no_note_each():
    def net(width):
        return nn.Sequential(nn.Linear(4, width), nn.ReLU(), nn.Linear(width, width + 1))

    report = init_from_teacher(net(8), net(6), batch=torch.randn(4, 4))
    assert [e.name for e in report.of("selected")] == ["0.weight", "0.bias"]
    (share, left) = report.sheet().notes
    assert share.startswith("38.0%")  # 30 of 79
    why = "inputs, outputs or positions of another number"
    assert left.startswith(f"Left as they were ({why}): 2.weight (9 x 8")


def test_tied_weights_count_once():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Embedding(5, 3)
            self.out = nn.Linear(3, 5)
            self.out.weight = self.embed.weight

    report = init_from_teacher(Tied(), student := Tied())
    assert report.share == 1.0
    assert student.out.weight is student.embed.weight
    assert sum(e.size for e in report.entries if e.learned) == 20
