from __future__ import annotations

from itertools import pairwise

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from limbeck.networks.pruning import scores  # noqa: E402
from limbeck.networks.pruning.plan import parts_of  # noqa: E402

pytestmark = pytest.mark.torch


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def dense(*widths, seed=0):
    torch.manual_seed(seed)
    layers = []
    for a, b in pairwise(widths):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


@pytest.mark.parametrize(
    "labels",
    [None, torch.tensor([0, 1, -100]), draw(3, 2).sigmoid()],
    ids=["none", "classes", "several"],
)
def test_rows_and_labels_go_where_the_network_is(labels, monkeypatch):
    monkeypatch.setattr(scores, "by_norm", lambda weights, _: weights)  # which asks for a number
    net, rows = dense(4, 3, 2), draw(3, 4)
    axes = parts_of(net, rows).found.axes
    found = scores.by_gradient(net.to("meta"), axes, rows, labels, each_row=True)
    assert {v.device.type for v in found.values()} == {"meta"}


def test_fisher_is_the_mean_of_squares_row_by_row():
    net = dense(3, 5, 2)
    x, y = draw(6, 3), torch.tensor([0, 1, 1, 0, 1, 0])
    parts = parts_of(net, x, y)
    space = parts.groups[0].space
    found = scores.by_gradient(net, parts.found.axes, x, y, each_row=True)[space]
    total = {n: torch.zeros(5).double() for n in ("0.weight", "0.bias", "2.weight")}
    for i in range(6):
        net.zero_grad()
        nn.functional.cross_entropy(net(x[i : i + 1]), y[i : i + 1]).backward()
        for name, p in net.named_parameters():
            if name in total:
                square = (p.grad * p).detach().double().square()
                along = {"0.weight": 1, "2.weight": 0}.get(name)
                total[name] += square if along is None else square.sum(along)
    expected = sum(v / v.sum() for v in total.values())
    assert torch.allclose(found, expected)
