from __future__ import annotations

import torch
from torch import nn

from limbeck.networks.pruning.pruned import Pruned
from limbeck.networks.pruning.ways import ways_to_size


def size(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def network() -> nn.Module:
    torch.manual_seed(0)
    hidden = [nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 16)]
    return nn.Sequential(*hidden, nn.ReLU(), nn.Linear(16, 3))


def test_ways_in_one_step_and_in_several_come_to_one_size() -> None:
    net, rows = network(), torch.randn(40, 4, generator=torch.Generator().manual_seed(1))
    one = ways_to_size(net, Pruned(size=0.4), rows, None, "gold labels alone")
    assert one.first is one.cut.module
    assert list(one.later) == []
    assert list(one.starts)[:2] == ["random cut", "from scratch"]
    assert one.told[0].endswith("The control is the same cut, trained on gold labels alone.")
    assert f"from {size(net)} to {size(one.first)} parameters" in one.told[0]

    two = ways_to_size(net, Pruned(size=0.4, iterative_steps=2), rows, None, "texts")
    assert next(iter(two.starts)) == "cut in one step"
    assert size(one.first) == size(two.cut.module)
    (again,) = two.later
    assert size(net) > size(two.first) > size(again(two.first))
    assert size(again(two.first)) <= 0.4 * size(net)
    assert "are cut in 2 steps" in two.notes[-1]
