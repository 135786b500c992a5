from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.networks.initialization.from_teacher import init_from_teacher  # noqa: E402
from limbeck.networks.initialization.importance import by_activation, by_norm  # noqa: E402
from limbeck.networks.initialization.tracing import trace  # noqa: E402

pytestmark = pytest.mark.torch


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def of_channels(scores, traced, name, dim):
    return scores[traced.axes[name][dim][0].space.root()]


def test_an_mlp_by_hand():
    net = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1))
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 2.0]]))
        net[0].bias.zero_()
        net[2].weight.copy_(torch.tensor([[3.0, -1.0]]))
    x = torch.tensor([[1.0, 1.0], [3.0, 2.0], [-1.0, 4.0], [-5.0, 1.0]])
    # hidden: (1, 3, 0, 0) and (2, 4, 8, 2); variances 1.5 and 6; times 9 and 1: 13.5 and 6
    told = trace(net, x)
    score = of_channels(by_activation(told.reads), told, "0.weight", 0)
    assert torch.allclose(score, torch.tensor([13.5, 6.0]).double() / 19.5)
    # norms: 1/5 and 4/5 of the first weight, 9/10 and 1/10 of the second; the bias is 0
    weights = {n: p.detach() for n, p in net.named_parameters()}
    score = of_channels(by_norm(weights, told.axes), told, "0.weight", 0)
    assert torch.allclose(score, torch.tensor([1.1, 0.9]).double())


def test_all_readers_of_a_channel_count_alike_over_rows_and_places():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = nn.Conv2d(2, 3, 1)
            self.a, self.b = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(3, 4, 1)
            self.end = nn.Linear(4, 2)

        def forward(self, x):
            x = self.stem(x).relu()
            return self.end((self.a(x) + 100 * self.b(x)).mean((2, 3)))

    net, x = Net(), draw(5, 2, 6, 6)
    told = trace(net, x)
    hidden = net.stem(x).relu().double().transpose(0, 1).flatten(1)  # (3, rows x places)
    want = torch.zeros(3).double()
    for conv in (net.a, net.b):
        given = hidden.var(1, correction=0) * conv.weight.double().square().sum((0, 2, 3))
        want += given / given.sum()
    got = of_channels(by_activation(told.reads), told, "stem.weight", 0)
    assert torch.allclose(got, want.detach())


def test_places_of_a_flattened_map_are_summed():
    net = nn.Sequential(nn.Conv2d(1, 3, 3), nn.Flatten(), nn.Linear(12, 2))
    x = draw(7, 1, 4, 4)
    told = trace(net, x)
    flat = net[:2](x).double()
    given = flat.var(0, correction=0) * net[2].weight.double().square().sum(0)
    got = of_channels(by_activation(told.reads), told, "0.weight", 0)
    assert torch.allclose(got, (given / given.sum()).reshape(3, 4).sum(1).detach())


def test_a_unit_that_is_always_alike_goes_first_however_large():
    def net(width):
        return nn.Sequential(nn.Linear(3, width), nn.ReLU(), nn.Linear(width, 2))

    torch.manual_seed(0)
    teacher = net(4)
    with torch.no_grad():
        teacher[0].weight[2] = 0.0
        teacher[0].bias[2] = 50.0
    x = draw(40, 3)
    for importance, stays in (("norm", True), ("activation", False)):
        student = net(3)
        assert init_from_teacher(teacher, student, batch=x, importance=importance).share == 1.0
        assert (50.0 in student[0].bias.tolist()) == stays
    student = net(3)
    init_from_teacher(teacher, student, batch=x)
    assert 50.0 not in student[0].bias.tolist()  # by default


def test_queries_and_keys_are_no_weights_and_one_row_falls_back_on_the_norm():
    from transformers import BertConfig, BertForSequenceClassification

    config = BertConfig(
        num_hidden_layers=1, hidden_size=8, num_attention_heads=2, intermediate_size=12,
        vocab_size=20, attn_implementation="eager",
    )  # fmt: skip
    ids = torch.randint(0, 20, (6, 5), generator=torch.Generator().manual_seed(0))
    told = trace(BertForSequenceClassification(config), ids)
    assert len(told.reads) == 3 + 1 + 2 + 2  # q, k, v; output; the two inner; pooler and answers
    teacher = nn.Sequential(nn.Linear(2, 4), nn.Linear(4, 1))
    one = [nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1)) for _ in range(2)]
    for net, importance in zip(one, ("norm", "activation"), strict=True):
        init_from_teacher(teacher, net, batch=draw(1, 2), importance=importance)
    assert torch.equal(one[0][0].weight, one[1][0].weight)


def test_an_unknown_importance_is_refused():
    net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    with pytest.raises(InvalidInput, match="importance is 'weights'"):
        init_from_teacher(net, net, importance="weights")
