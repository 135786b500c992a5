from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from limbeck.modules.capture import modes_kept  # noqa: E402
from limbeck.modules.runner import watched  # noqa: E402

pytestmark = pytest.mark.torch


def net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))


def test_a_view_holds_outputs_and_the_layers_asked_for():
    module, x = net(), torch.randn(5, 2)
    with watched(module, ["1"], "It") as network:
        view = network(x)
        changed = network.run(x, {"1": torch.zeros_like})
        again = network(x)
    assert torch.equal(view.logits, module(x))
    assert torch.equal(view.layers["1"], module[:2](x))
    assert torch.equal(changed.logits, module[2].bias.expand(5, 2))
    assert torch.equal(again.logits, view.logits)
    assert not any(m._forward_hooks for m in module.modules())


def test_without_layers_there_are_no_hooks():
    module = net()
    with watched(module, [], "It") as network:
        assert not any(m._forward_hooks for m in module.modules())
        assert dict(network(torch.zeros(1, 2)).layers) == {}


def test_half_precision_ends_at_the_view():
    module = net()

    def context():
        return torch.autocast("cpu", dtype=torch.bfloat16)

    with watched(module, ["0"], "It", context=context) as network:
        view = network(torch.randn(5, 2))
    assert view.logits.dtype == view.layers["0"].dtype == torch.float32
    assert not torch.equal(view.logits, module(torch.randn(5, 2)))
    double = net().double()
    with watched(double, [], "It") as network:
        assert network(torch.zeros(1, 2).double()).logits.dtype == torch.float64


def test_modes_of_every_part_come_back_also_after_an_error():
    module = net().train()
    module[1].eval()

    def failing():
        with modes_kept(module):
            module.eval()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing()
    assert [m.training for m in module] == [True, False, True]


@pytest.mark.parametrize(
    "norm",
    [
        lambda: nn.BatchNorm1d(3),
        lambda: nn.BatchNorm1d(3, momentum=None),
        lambda: nn.InstanceNorm1d(3, affine=True, track_running_stats=True),
    ],
)
def test_running_statistics_see_ordinary_runs_alone(norm):
    def made():
        torch.manual_seed(0)
        return nn.Sequential(nn.Conv1d(2, 3, 1), norm(), nn.ReLU(), nn.Flatten(), nn.Linear(12, 2))

    module, x = made(), torch.randn(6, 2, 4)
    other, alone = made(), made()
    alone(x)
    with watched(module, ["2"], "It") as network:
        first = network(x)
        changed = network.run(x, {"2": lambda v: v * 2})
    inner = other[:3](x) * 2
    assert torch.equal(changed.logits, other[3:](inner))  # what it computes is that of training
    for name, value in module.state_dict().items():
        assert torch.equal(value, alone.state_dict()[name]), name
    (first.logits + changed.logits).sum().backward()
    other.zero_grad()
    (other(x) + other[3:](other[:3](x) * 2)).sum().backward()
    for p, q in zip(module.parameters(), other.parameters(), strict=True):
        assert torch.equal(p.grad, q.grad)


def test_running_statistics_come_back_after_an_error_and_are_read_in_eval_mode():
    module = nn.Sequential(nn.BatchNorm1d(2), nn.Linear(2, 2))
    own = dict(module[0]._buffers)
    with watched(module, ["0"], "It") as network:
        with pytest.raises(ZeroDivisionError):
            network.run(torch.randn(4, 2), {"0": lambda v: v / (1 // 0)})
        assert all(module[0]._buffers[n] is v for n, v in own.items())
        assert int(module[0].num_batches_tracked) == 0
        module.eval()
        module[0].running_mean.fill_(5.0)
        seen = network.run(torch.zeros(4, 2), {"0": lambda v: v}).layers["0"]
    assert torch.allclose(seen, torch.tensor(-5.0), atol=1e-4)
