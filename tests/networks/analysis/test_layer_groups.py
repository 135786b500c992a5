from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from limbeck.networks.analysis.layer_groups import freeze, layer_groups  # noqa: E402


class Deep(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(5, 2)
        self.short = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Dropout(), nn.ReLU())
        self.blocks = nn.ModuleList([nn.Sequential(nn.Linear(2, 2, bias=False)) for _ in range(11)])
        self.scale = nn.Parameter(torch.ones(1))


def test_the_longest_stack_has_a_group_a_layer_and_the_rest_by_their_first_name() -> None:
    net = Deep()
    groups = layer_groups(net)
    assert groups["blocks.1"] == ("blocks.1.0.weight",)
    assert groups["blocks.10"] == ("blocks.10.0.weight",)
    assert groups["short"] == ("short.0.weight", "short.0.bias")
    assert groups["words"] == ("words.weight",)
    assert groups["scale"] == ("scale",)
    assert len(groups) == 14
    assert sorted(sum(groups.values(), ())) == sorted(n for n, _ in net.named_parameters())
    assert layer_groups(nn.Linear(2, 2)) == {"weight": ("weight",), "bias": ("bias",)}


def test_what_is_frozen_stays_and_the_rest_learns() -> None:
    net = Deep()
    freeze(net, layer_groups(net)["blocks.1"])
    assert [n for n, p in net.named_parameters() if not p.requires_grad] == ["blocks.1.0.weight"]
    with pytest.raises(AttributeError):
        freeze(net, ("blocks.11.0.weight",))
