from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from limbeck.networks.pruning.blocks import find_stacks  # noqa: E402
from limbeck.networks.pruning.budget import milliseconds, operations, size_after  # noqa: E402
from limbeck.networks.pruning.groups import find_groups  # noqa: E402
from limbeck.networks.pruning.surgery import cut, leave_out  # noqa: E402

pytestmark = pytest.mark.torch


def size(net):
    return sum(p.numel() for p in net.parameters())


def test_the_size_after_a_cut_is_that_of_the_network_once_it_is_cut():
    net, x = nn.Sequential(*(nn.Linear(6, 6) for _ in range(3)), nn.Linear(6, 2)), torch.ones(3, 6)
    (stack,) = find_stacks(net, x)
    found, groups = find_groups(net, x, ())
    keep = {groups[0].space: torch.tensor([0, 2, 5]), groups[1].space: torch.tensor([1])}
    assert size_after(net, found, {}, ()) == size(net)
    assert size_after(net, found, keep, ()) == size(cut(net, found, groups, keep, x))
    gone = stack.blocks[1:2]
    assert size_after(net, found, {}, gone) == size(leave_out(net, gone, x)) == size(net) - 42


def test_names_that_begin_alike_are_not_left_out_with_a_block():
    net = nn.Sequential(*(nn.Linear(2, 2, bias=False) for _ in range(11)))
    x = torch.ones(3, 2)
    blocks = {b.name: b for b in find_stacks(net, x)[0].blocks}
    assert size_after(net, find_groups(net, x, ())[0], {}, [blocks["1"]]) == 40


def test_operations_are_two_a_product_and_state_and_mode_are_left():
    net = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 2)).train()
    assert operations(net, torch.ones(7, 3)) == 2 * 7 * (3 * 5 + 5 * 2)
    assert net.training


def test_time_is_the_median_of_nine_calls_after_two():
    calls = []
    net = nn.Linear(2, 2)
    net.register_forward_hook(lambda *_: calls.append(torch.is_grad_enabled()))
    assert milliseconds(net, torch.ones(1, 2)) > 0
    assert calls == [False] * 11
