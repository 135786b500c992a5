from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

import limbeck  # noqa: E402
from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.networks import Pruned  # noqa: E402

pytestmark = pytest.mark.torch


def network():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 2))
    with torch.no_grad():
        net[0].weight[8:] = 0.0  # half of the first layer says nothing
        net[0].bias[8:] = 0.0
        net[2].weight[:, 8:] = 0.0
    return net


def test_what_says_nothing_costs_nothing_and_comes_first():
    X = torch.randn(300, 5, generator=torch.Generator().manual_seed(1))
    net = network()
    found = limbeck.ablate(
        net, X, net(X).argmax(1), into=Pruned(layers=0.75, mlp=0.5), seeds=1, lr=1e-6,
        progress=False,
    )  # fmt: skip
    by_part = {(p.part, p.kind): p for p in found.parts}
    assert set(by_part) == {("2", "layers"), ("0", "mlp"), ("2", "mlp")}
    silent = by_part["0", "mlp"]
    assert silent.removed == "8 of 16"
    assert silent.agreement.value == 1.0
    assert silent.cost.value == 0.0
    assert silent.cost.low <= 0 <= silent.cost.high
    assert found.parts[0] is silent
    assert by_part["2", "layers"].agreement.value < 1
    assert "What can be dropped" in str(found)


def test_targets_and_absent_kinds_are_refused():
    X = torch.randn(60, 5)
    with pytest.raises(InvalidInput, match="one by one"):
        limbeck.ablate(network(), X, into=Pruned(size=0.5))
    with pytest.raises(InvalidInput, match="has no heads"):
        limbeck.ablate(network(), X, into=Pruned(heads=0.5))


def test_an_objective_is_needed_for_other_students():
    with pytest.raises(InvalidInput, match="objective"):
        limbeck.ablate(network(), torch.randn(60, 5), into=network())
