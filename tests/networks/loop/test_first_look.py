from __future__ import annotations

import copy

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from limbeck.errors import InvalidInput  # noqa: E402
from limbeck.networks import GoldLabels, HiddenStates, SoftTargets  # noqa: E402
from limbeck.networks.loop.engine import Engine  # noqa: E402
from limbeck.networks.loop.first_look import maps_of, unused  # noqa: E402
from limbeck.networks.loop.training import Training  # noqa: E402
from limbeck.networks.network import watched  # noqa: E402
from limbeck.networks.objective import Objective  # noqa: E402
from limbeck.networks.samples.data import Samples  # noqa: E402
from limbeck.networks.views import Goal, Kind  # noqa: E402

pytestmark = pytest.mark.torch


def net(width: int, outputs: int = 3) -> nn.Module:
    return nn.Sequential(
        nn.Linear(4, width), nn.BatchNorm1d(width), nn.Dropout(0.5), nn.Linear(width, outputs)
    )


def look(students, objective, seed=0, outputs=3):
    objective = Objective.of(objective)
    samples = Samples.of((torch.randn(6, 4), torch.zeros(6, dtype=torch.long)))
    teacher = net(7).eval()
    with (
        Engine.started(Training(), torch.device("cpu")) as engine,
        watched(teacher, objective.needs.teacher_layers, "t", context=torch.no_grad) as network,
    ):
        return maps_of(
            students,
            samples.fetch([0, 1]),
            objective,
            Goal(Kind.CLASSES, outputs),
            lambda batch: network(batch.inputs),
            objective.needs,
            seed,
            engine,
        )


def test_the_look_leaves_no_trace():
    student = net(5)
    before = copy.deepcopy(student.state_dict())
    maps = look([student], HiddenStates({"0": "0"}))
    assert all(torch.equal(v, before[k]) for k, v in student.state_dict().items())
    assert all(m.training for m in student.modules())
    assert {tuple(p.shape) for p in maps[0].parameters() if p.ndim == 2} == {(7, 5)}


def test_maps_are_a_function_of_the_seed_alone():
    def made(seed):
        torch.manual_seed(int(torch.randint(1000, ())))
        return torch.cat(
            [p.flatten() for p in look([net(5)], HiddenStates({"0": "0"}), seed)[0].parameters()]
        )

    assert torch.equal(made(1), made(1))
    assert not torch.equal(made(1), made(2))


def test_networks_with_other_outputs_are_refused():
    with pytest.raises(InvalidInput, match=r"The student returned shape \(2, 4\).*k = 3"):
        look([net(5, outputs=4)], GoldLabels())
    with pytest.raises(InvalidInput, match=r"The teacher returned shape \(2, 3\).*k = 5"):
        look([net(5, outputs=5)], SoftTargets(temperature=2), outputs=5)


def test_weights_that_do_not_enter_the_outputs_are_seen():
    batch = Samples.of(torch.randn(3, 4)).fetch([0, 1])
    assert not unused(net(5), batch)
    idle = net(5)
    idle.register_parameter("idle", nn.Parameter(torch.zeros(1)))
    assert unused(idle, batch)
