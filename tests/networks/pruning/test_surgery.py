from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.networks.pruning.blocks import find_stacks  # noqa: E402
from limbeck.networks.pruning.groups import find_groups  # noqa: E402
from limbeck.networks.pruning.surgery import cut, leave_out  # noqa: E402

pytestmark = pytest.mark.torch


def test_a_cut_takes_rows_and_columns_and_leaves_the_network_alone():
    net, x = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)), torch.randn(5, 3)
    before = {n: v.clone() for n, v in net.state_dict().items()}
    found, groups = find_groups(net, x, ())
    keep = torch.tensor([1, 3])
    small = cut(net, found, groups, {groups[0].space: keep}, x)
    assert torch.equal(small[0].weight, before["0.weight"][keep])
    assert torch.equal(small[0].bias, before["0.bias"][keep])
    assert torch.equal(small[2].weight, before["2.weight"][:, keep])
    assert torch.equal(small[2].bias, before["2.bias"])
    assert (small[0].out_features, small[2].in_features) == (2, 2)
    assert all(torch.equal(v, before[n]) for n, v in net.state_dict().items())


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner, self.again = nn.Linear(3, 6), nn.Linear(3, 6)
        self.again.weight = self.inner.weight
        self.out = nn.Linear(6, 1)

    def forward(self, x):
        return self.out(torch.relu(self.inner(x)) + torch.relu(self.again(x)))


def test_tied_weights_stay_tied_and_frozen_ones_frozen():
    net, x = Tied(), torch.randn(4, 3)
    net.out.weight.requires_grad_(False)
    found, groups = find_groups(net, x, ())
    small = cut(net, found, groups, {groups[0].space: torch.tensor([0, 5])}, x)
    assert small.inner.weight is small.again.weight
    assert small.inner.weight.shape == (2, 3)
    assert not small.out.weight.requires_grad
    assert small.inner.weight.requires_grad


class Counts(nn.Module):
    """Reshapes by a number in its code, whatever its weights are."""

    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Linear(3, 6), nn.Linear(6, 2)

    def forward(self, x):
        hidden = torch.relu(self.one(x))
        if hidden.shape[-1] != 6:
            raise ValueError("6 are needed")
        return self.two(hidden)


def test_code_that_counts_on_the_number_of_channels_is_named():
    net, x = Counts(), torch.randn(4, 3)
    found, groups = find_groups(net, x, ())
    with pytest.raises(InvalidInput, match=r"Counts does not run once it is cut \(mlp\): ValueEr"):
        cut(net, found, groups, {groups[0].space: torch.tensor([0, 1])}, x)


def test_a_depthwise_convolution_loses_whole_groups():
    net = nn.Sequential(
        nn.Conv2d(2, 4, 1), nn.Conv2d(4, 4, 3, padding=1, groups=4), nn.Flatten(), nn.Linear(36, 2)
    ).eval()
    x = torch.randn(3, 2, 3, 3)
    found, groups = find_groups(net, x, ())
    small = cut(net, found, groups, {g.space: torch.tensor([0, 2]) for g in groups}, x)
    assert (small[1].in_channels, small[1].out_channels, small[1].groups) == (2, 2, 2)
    assert torch.equal(small[1].weight, net[1].weight[[0, 2]])
    assert small[3].in_features == 18


class Residual(nn.Module):
    def __init__(self, at):
        super().__init__()
        self.layer_idx, self.linear = at, nn.Linear(3, 3)

    def forward(self, x):
        return x + self.linear(x)


def test_layers_that_are_left_are_numbered_anew():
    net, x = nn.Sequential(*map(Residual, range(4)), nn.Linear(3, 2)), torch.randn(5, 3)
    blocks = find_stacks(net, x)[0].blocks
    small = leave_out(net, blocks[1:3], x)
    assert [small[0].layer_idx, small[1].layer_idx, len(small)] == [0, 1, 3]
    assert torch.equal(small(x), net[4](net[3](net[0](x))))
    assert [b.layer_idx for b in net[:4]] == [0, 1, 2, 3]
