from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from limbeck.networks.initialization.spaces import Factor, Space  # noqa: E402
from limbeck.networks.pruning.groups import ChannelGroup, find_groups, indices  # noqa: E402

pytestmark = pytest.mark.torch


def test_the_best_units_stay_with_all_their_channels_in_their_order():
    heads = ChannelGroup("a", "heads", Space(6), units=3, each=2)
    scores = torch.tensor([1.0, 5.0, 9.0, 0.0, 4.0, 1.0])  # per head 6, 9, 5
    assert heads.best(scores, 2).tolist() == [0, 1, 2, 3]
    assert heads.best(scores, 1).tolist() == [2, 3]
    even = ChannelGroup("c", "channels", Space(6), units=6, parts=2)
    assert even.best(torch.tensor([9.0, 8, 7, 1, 2, 3]), 4).tolist() == [0, 1, 4, 5]
    assert even.best(torch.zeros(6), 2).tolist() == [0, 3]  # the first of equals


def test_indices_follow_flattened_joined_and_cut_axes():
    a, b = Space(3), Space(2)
    keep = {a: torch.tensor([0, 2])}
    whole = Factor(3, a)
    assert indices((whole,), keep).tolist() == [0, 2]
    assert indices((whole, Factor(2, b)), keep).tolist() == [0, 1, 4, 5]  # channels, then places
    assert indices((Factor(2, b), whole), keep).tolist() == [0, 2, 3, 5]
    joined = Factor(5, parts=((Factor(2, b),), (whole,)))
    assert indices((joined,), keep).tolist() == [0, 1, 2, 4]
    assert indices((Factor(3, a, piece=1),), keep).tolist() == [0, 1, 2]
    assert indices((Factor(4),), keep).tolist() == [0, 1, 2, 3]


def test_neurons_between_two_layers_are_a_group_and_inputs_and_outputs_are_none():
    net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, 2))
    _, groups = find_groups(net, torch.randn(5, 4), ())
    assert [(g.name, g.kind, g.units, g.each, g.heads) for g in groups] == [
        ("0", "mlp", 8, 1, 8),
        ("2", "mlp", 6, 1, 6),
    ]
    assert groups[0].tensors == ("0.weight", "0.bias", "2.weight")


def test_channels_of_a_group_norm_are_cut_in_equal_parts():
    net = nn.Sequential(
        nn.Conv2d(1, 6, 1), nn.GroupNorm(3, 6), nn.ReLU(), nn.Flatten(), nn.Linear(24, 2)
    )
    _, groups = find_groups(net.eval(), torch.randn(3, 1, 2, 2), ())
    assert [(g.name, g.kind, g.units, g.parts) for g in groups] == [("0", "channels", 6, 3)]
