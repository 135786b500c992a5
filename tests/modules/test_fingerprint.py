"""A network's fingerprint: the same for the same network, another for any change."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable

import pytest

pytest.importorskip("torch")
import torch
from torch import Tensor, nn

from limbeck.modules.fingerprint import digest, fingerprint


def _net() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.1), nn.Linear(4, 2))


def test_the_same_network_has_one_fingerprint() -> None:
    net = _net()
    told = fingerprint(net)
    assert len(told) == 64
    assert fingerprint(copy.deepcopy(net)) == told
    assert fingerprint(net.eval()) == told
    assert fingerprint(net.requires_grad_(False)) == told


def _weight(net: nn.Sequential) -> None:
    net[3].weight.data[0, 0] += 1e-7


def _buffer(net: nn.Sequential) -> None:
    net[1].running_mean[0] += 1e-7  # type: ignore[index,operator]


def _dtype(net: nn.Sequential) -> None:
    net.double()


def _rate(net: nn.Sequential) -> None:
    net[2] = nn.Dropout(0.2)


def _stride(net: nn.Sequential) -> None:
    new = nn.Conv2d(3, 4, 3, stride=2)
    new.load_state_dict(net[0].state_dict())
    net[0] = new


def _temporary(net: nn.Sequential) -> None:
    net.register_buffer("scale", torch.ones(1), persistent=False)


@pytest.mark.parametrize("change", [_weight, _buffer, _dtype, _rate, _stride, _temporary])
def test_any_change_is_another_network(change: Callable[[nn.Sequential], None]) -> None:
    net = _net()
    told = fingerprint(net)
    change(net)
    assert fingerprint(net) != told


def test_the_class_and_the_configuration_enter() -> None:
    class Other(nn.Linear):
        pass

    torch.manual_seed(0)
    one = nn.Linear(2, 2)
    two = Other(2, 2)
    two.load_state_dict(one.state_dict())
    assert fingerprint(one) != fingerprint(two)


def test_where_a_function_lies_in_memory_does_not_enter() -> None:
    def loss() -> Callable[[Tensor, Tensor], Tensor]:
        return lambda a, b: a - b

    nets = [nn.TripletMarginWithDistanceLoss(distance_function=loss()) for _ in range(2)]
    for net in nets:
        net.extra_repr = lambda net=net: repr(net.distance_function)  # type: ignore[method-assign,misc]
    assert fingerprint(nets[0]) == fingerprint(nets[1])


def test_digest_by_hand() -> None:
    x = torch.tensor([1, 2], dtype=torch.uint8)
    by_hand = hashlib.sha256(b"limbeck tensors 1\ntorch.uint8 (2,)\n\x01\x02").hexdigest()
    assert digest(x) == by_hand


def test_structure_enters_the_digest() -> None:
    x, y = torch.zeros(2), torch.ones(2)
    told = [
        digest(v)
        for v in (x, y, (x, y), (y, x), (x,), {"a": x}, {"b": x}, {"a": x, "b": y}, None, "x",
                  x.half(), x.bfloat16(), x[None], torch.tensor(0.0), (x, (y,)), ((x,), y))
    ]  # fmt: skip
    assert len(set(told)) == len(told)
    strided = torch.arange(6.0).reshape(2, 3).T
    assert digest(strided) == digest(strided.contiguous())
