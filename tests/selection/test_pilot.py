from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from limbeck.core.task import Task  # noqa: E402
from limbeck.networks.datasets.data import Samples  # noqa: E402
from limbeck.networks.losses.loss import Objective  # noqa: E402
from limbeck.networks.losses.probabilities import SoftTargets  # noqa: E402
from limbeck.networks.strategies.train_network import TrainNetwork  # noqa: E402
from limbeck.networks.training.settings import Training  # noqa: E402
from limbeck.selection.pilot import Pilot, gathered, nested  # noqa: E402

pytestmark = pytest.mark.torch
TASK = Task.of("classification", 2)
X = torch.randn(400, 3, generator=torch.Generator().manual_seed(0))
Y = (X[:, 0] > 0).long()


def pilot(rows=400, folder=None, **training):
    torch.manual_seed(0)
    samples = Samples.of((X[:rows], Y[:rows])).aimed(TASK)
    settings = Training(**{"epochs": 8, "batch_size": 20, "lr": 0.02, **training})
    method = TrainNetwork(
        [nn.Linear(3, 2)], None, nn.Linear(3, 2), nn.Linear(3, 2), samples, None, TASK,
        Objective.of(SoftTargets()), settings, None, None,
    )  # fmt: skip
    measured = Samples.of((X[rows - 100 :], Y[rows - 100 :])).aimed(TASK)
    return Pilot(method, method, settings, measured, folder)


def test_beginnings_of_an_order_hold_each_class_and_no_label_alike():
    labels = torch.tensor([0] * 200 + [1] * 20 + [-1] * 100)
    rows = Samples.of((torch.randn(320, 2), labels)).aimed(TASK)
    order = nested(rows, 3).numpy()
    assert sorted(order) == list(range(320))
    assert not np.array_equal(order, nested(rows, 4).numpy())
    first = labels.numpy()[order[:80]]
    assert [abs((first == c).sum() - n / 4) <= 2 for c, n in ((0, 200), (1, 20), (-1, 100))]
    assert (first == 1).sum() in (4, 5, 6)


def test_updates_are_those_of_the_settings():
    own = pilot()
    assert own.updates(400) == 8 * 20
    assert own.updates(100) == 8 * 5
    assert pilot(max_steps=30).updates(400) == 30
    assert pilot(epochs=None).updates(400) == 3000
    cell = own.cell(0.5, 0.25)
    assert (cell.rows, cell.updates) == (200, 20)
    assert (cell.place.rows, cell.place.training) == (-1, -2)


def test_pairs_are_kept_and_not_run_again(tmp_path):
    own = pilot(folder=tmp_path)
    cell = own.cell(0.25, 0.5)
    first = own.run(cell, 1)
    assert first.student.shape == first.control.shape == (100,)
    assert first.student.mean() < first.control.mean()  # the teacher knows nothing
    again = own.run(cell, 1)
    assert again.seconds == first.seconds
    assert np.array_equal(again.control, first.control)
    other = pilot().run(cell, 1)  # the same seed, the same pair
    assert np.array_equal(other.student, first.student)
    pairs = {(cell, 1): first, (cell, 2): own.run(cell, 2), (own.cell(1.0, 0.5), 1): first}
    found = gathered(pairs, False)
    assert [p.seeds for p in found] == [1, 2]
    assert gathered(pairs, True) == []
