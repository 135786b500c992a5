from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from limbeck.networks import Pruned  # noqa: E402
from limbeck.networks.pruning.baselines import (  # noqa: E402
    baselines_of,
    last_layers,
    random_cut,
    reinitialised,
)
from limbeck.networks.pruning.prune import prune  # noqa: E402

pytestmark = pytest.mark.torch


def deep(layers=6, width=4):
    torch.manual_seed(0)
    return nn.Sequential(*(nn.Linear(width, width) for _ in range(layers)), nn.Linear(width, 2))


def test_the_last_layers_go_and_only_the_last_three_and_the_head_learn():
    net, x = deep(), torch.randn(5, 4)
    cut = last_layers(net, 100, x)  # 130 parameters; 90 without two layers
    assert len(cut) == 5
    assert all(
        torch.equal(a.weight, b.weight) for a, b in zip(cut, [*net[:4], net[6]], strict=True)
    )
    assert [p.weight.requires_grad for p in cut] == [False, True, True, True, True]
    assert all(p.requires_grad for p in net.parameters())
    assert len(last_layers(net, 1, x)) == 1  # as near as it comes
    assert last_layers(nn.Linear(4, 2), 1, x) is None


def test_a_random_cut_has_the_same_widths_and_is_drawn_by_the_seed():
    net = nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 2))
    x, asked = torch.randn(9, 3), Pruned(mlp=0.5, seed=3)
    cut = prune(net, asked, x)
    one, two = random_cut(net, cut, asked, x), random_cut(net, cut, asked, x)
    other = random_cut(net, cut, Pruned(mlp=0.5, seed=4), x)
    assert one[0].weight.shape == cut.module[0].weight.shape == (8, 3)
    assert torch.equal(one[0].weight, two[0].weight)
    assert not torch.equal(one[0].weight, other[0].weight)
    rows = {tuple(r) for r in net[0].weight.tolist()}
    assert {tuple(r) for r in one[0].weight.tolist()} <= rows


def test_new_weights_are_drawn_and_those_that_are_all_the_same_stay():
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear, self.norm = nn.Linear(4, 4), nn.LayerNorm(4)
            self.places = nn.Parameter(5 + 0.1 * torch.randn(400))
            self.gate = nn.Parameter(torch.full((3,), 7.0))

    net = Own()
    with torch.no_grad():
        net.norm.weight.fill_(3.0)
    torch.manual_seed(1)
    new = reinitialised(net)
    assert not torch.equal(new.linear.weight, net.linear.weight)
    assert new.norm.weight.tolist() == [1.0] * 4
    assert not torch.equal(new.places, net.places)
    drawn = new.places.detach()
    assert abs(float(drawn.mean()) - 5) < 0.05
    assert 0.07 < float(drawn.std()) < 0.13
    assert new.gate.tolist() == [7.0] * 3
    assert net.norm.weight.tolist() == [3.0] * 4


def test_baselines_that_there_are_not_are_noted():
    net = nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 2))
    x, asked = torch.randn(9, 3), Pruned(mlp=0.5)
    found, notes = baselines_of(net, prune(net, asked, x), asked, x)
    assert list(found) == ["random cut", "from scratch"]
    assert notes == ["There is no cut of the last layers: no stack of blocks can be shortened."]
    deeper = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 2))
    asked, x = Pruned(mlp=0.1), torch.randn(9, 4)
    found, notes = baselines_of(deeper, prune(deeper, asked, x), asked, x)
    assert list(found) == ["random cut", "from scratch", "last layers cut"]
    assert notes[0].startswith("Cutting the last layers leaves 450 parameters at least, more than")
