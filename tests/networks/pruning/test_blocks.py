from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from limbeck.networks.pruning.blocks import find_stacks, without_blocks  # noqa: E402

pytestmark = pytest.mark.torch


class Residual(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width))

    def forward(self, x):
        return x + self.inner(x)


def test_plain_layers_that_keep_the_shape_go_with_their_activation():
    net = nn.Sequential(
        nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 5), nn.ReLU(), nn.Linear(5, 5), nn.Linear(5, 2)
    )
    x = torch.randn(4, 3)
    (stack,) = find_stacks(net, x)
    assert (stack.name, stack.size, stack.adds) == ("", 4, False)
    assert [(b.name, b.followers) for b in stack.blocks] == [("2", ("3",)), ("4", ())]
    with torch.no_grad():
        assert torch.equal(stack.blocks[0].seen.before, net[:2](x))
        assert torch.equal(stack.blocks[0].seen.after, net[:3](x))


def test_residual_blocks_are_taken_before_the_plain_layers_in_them():
    net = nn.Sequential(Residual(4), nn.LayerNorm(4), Residual(4), nn.Linear(4, 2))
    (stack,) = find_stacks(net, torch.randn(5, 4))
    assert stack.adds
    assert [b.name for b in stack.blocks] == ["0", "2"]  # a norm alone is no block
    assert stack.size == 3


def test_a_layer_that_runs_twice_cannot_be_left_out():
    shared = Residual(4)
    net = nn.Sequential(shared, Residual(4), shared)
    assert [[b.name for b in s.blocks] for s in find_stacks(net, torch.randn(5, 4))] == [["1"]]


def test_the_rest_of_a_list_moves_up_and_names_stay_names():
    net = nn.Sequential(*(nn.Linear(2, 2) for _ in range(4)))
    kept = [net[0], net[2]]
    without_blocks(net, ["1", "3"])
    assert list(net.children()) == kept
    assert list(net._modules) == ["0", "1"]
    named = nn.Module()
    named.blocks = nn.Sequential()
    for name in ("a", "b", "c"):
        named.blocks.add_module(name, nn.Identity())
    without_blocks(named, ["blocks.a"])
    assert list(named.blocks._modules) == ["b", "c"]
