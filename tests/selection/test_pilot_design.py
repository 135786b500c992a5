from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from limbeck.core.task import Task  # noqa: E402
from limbeck.networks.datasets.data import Samples  # noqa: E402
from limbeck.networks.losses.loss import Objective  # noqa: E402
from limbeck.networks.losses.probabilities import SoftTargets  # noqa: E402
from limbeck.networks.strategies.train_network import TrainNetwork  # noqa: E402
from limbeck.networks.training.settings import Training  # noqa: E402
from limbeck.selection.pilot import Pilot  # noqa: E402
from limbeck.selection.pilot_design import cross, design, smallest  # noqa: E402

pytestmark = pytest.mark.torch
TASK = Task.of("classification", 2)
X = torch.randn(400, 3, generator=torch.Generator().manual_seed(0))
Y = (X[:, 0] > 0).long()


def pilot():
    samples = Samples.of((X, Y)).aimed(TASK)
    settings = Training(epochs=8, batch_size=20, lr=0.02)
    method = TrainNetwork(
        [nn.Linear(3, 2)], None, nn.Linear(3, 2), nn.Linear(3, 2), samples, None, TASK,
        Objective.of(SoftTargets()), settings, None, None,
    )  # fmt: skip
    measured = Samples.of((X[300:], Y[300:])).aimed(TASK)
    return Pilot(method, method, settings, measured, None)


def test_a_cross_fits_the_time_and_the_next_one_holds_parts_of_it():
    own = pilot()

    def cost(cell):
        return cell.updates * (1 + cell.larger)

    whole = design(own, cost, 1e9)
    assert whole == cross(own, 1.0, 1.0)
    assert whole[0].place.rows == whole[0].place.training == 0
    assert [c.larger for c in whole].count(True) == 1
    less = design(own, cost, 400)
    assert sum(map(cost, less)) <= 400
    assert less[0].rows < 400
    assert set(less) & set(whole)
    assert design(own, cost, 1) == []
    assert smallest(own).rows >= 20
