from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from limbeck.networks.initialization.widened import parameters_of, widened  # noqa: E402

pytestmark = pytest.mark.torch
CNN = nn.Sequential(
    nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2)),
    nn.Flatten(), nn.Linear(8 * 16, 32, bias=False), nn.LayerNorm(32), nn.GELU(), nn.Linear(32, 5),
)  # fmt: skip
MLP = nn.Sequential(nn.Linear(20, 40), nn.Tanh(), nn.Dropout(0.1), nn.Linear(40, 3))


@pytest.mark.parametrize(("net", "shape"), [(MLP, (4, 20)), (CNN, (4, 3, 8, 8))])
@pytest.mark.parametrize("factor", [2.0, 5.0])
def test_a_chain_gets_so_many_parameters(net, shape, factor):
    wider = widened(net, torch.zeros(shape), factor)()
    assert parameters_of(wider) / parameters_of(net) == pytest.approx(factor, rel=0.08)
    assert wider.training
    assert wider(torch.randn(shape)).shape == net(torch.randn(shape)).shape
    kinds = [type(m) for m in wider]
    assert kinds == [type(m) for m in net.modules() if type(m) is not nn.Sequential]


def test_a_function_makes_a_fresh_one_each_time():
    make = widened(lambda: nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2)),
                   torch.zeros(2, 4))  # fmt: skip
    assert not torch.equal(make()[0].weight, make()[0].weight)


class Own(nn.Module):
    def forward(self, x):
        return x


@pytest.mark.parametrize(
    "net",
    [
        nn.Linear(4, 2),
        nn.Sequential(nn.Linear(4, 2)),
        nn.Sequential(nn.Linear(4, 4), Own(), nn.Linear(4, 2)),
        nn.Sequential(nn.Conv1d(4, 4, 1, groups=2), nn.Flatten(), nn.Linear(4, 2)),
    ],
)
def test_what_is_no_chain_is_left(net):
    assert widened(net, torch.zeros(2, 4)) is None


def test_inputs_that_are_no_tensor_are_left():
    assert widened(MLP, {"input_ids": torch.zeros(2, 4)}) is None
