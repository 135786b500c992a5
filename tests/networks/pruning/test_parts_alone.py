from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.networks import Pruned  # noqa: E402
from limbeck.networks.pruning.parts_alone import each_part  # noqa: E402

pytestmark = pytest.mark.torch


def test_each_part_goes_alone_and_the_rest_is_whole():
    net, x = nn.Sequential(*(nn.Linear(4, 4) for _ in range(3)), nn.Linear(4, 2)), torch.ones(5, 4)
    found = each_part(net, Pruned(mlp=0.5, layers=0.5), x)
    assert [(p.name, p.kind, p.removed) for p in found] == [
        *((str(i), "layers", "the layer") for i in range(3)),
        *((str(i), "mlp", "2 of 4") for i in range(3)),
    ]
    assert torch.equal(found[1].module(x), net[3](net[2](net[0](x))))
    assert [m.out_features for m in found[4].module] == [4, 2, 4, 2]
    assert [m.out_features for m in net] == [4, 4, 4, 2]


def test_a_kind_that_there_is_not_is_refused():
    net = nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 2))
    with pytest.raises(InvalidInput, match="has no heads that can be"):
        each_part(net, Pruned(heads=0.5), torch.ones(4, 3))
