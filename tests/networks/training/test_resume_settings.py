from __future__ import annotations

import json

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from limbeck.modules.batch import Goal, Kind  # noqa: E402
from limbeck.networks import GoldLabels, LinearSchedule, SoftTargets, TeacherCorrect, balanced  # noqa: E402
from limbeck.networks.datasets.data import Samples  # noqa: E402
from limbeck.networks.losses.loss import Objective  # noqa: E402
from limbeck.networks.training.resume_settings import settings_of  # noqa: E402
from limbeck.networks.training.settings import Training  # noqa: E402

pytestmark = pytest.mark.torch


def optimizer(parameters):
    return torch.optim.SGD(parameters, lr=0.1)


def told(**changes):
    torch.manual_seed(0)
    x = torch.randn(5, 2)
    given = {
        "training": Training(optimizer=optimizer),
        "objective": Objective.of(LinearSchedule(1, 0) * SoftTargets(temperature=4) + GoldLabels()),
        "goal": Goal(Kind.CLASSES, 2),
        "samples": Samples.of((x, torch.zeros(5))),
        "teacher": nn.Linear(2, 2),
        "filter": None,
        "validation": None,
        "views": None,
        "seed": 0,
        "augment_seed": 0,
        "modules": [nn.Linear(2, 2)],
    }
    return settings_of(**(given | changes))


def test_they_are_text_and_numbers_without_addresses():
    text = json.dumps(told())
    assert json.loads(text) == told()
    assert "0x" not in text
    assert "optimizer" in text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("objective", Objective.of(SoftTargets(temperature=3) + GoldLabels())),
        ("objective", balanced(LinearSchedule(1, 0) * SoftTargets(temperature=4) + GoldLabels())),
        (
            "objective",
            Objective.of(LinearSchedule(1, 0) * SoftTargets(temperature=4) + 2 * GoldLabels()),
        ),
        ("goal", Goal(Kind.CLASSES, 3)),
        ("student", [nn.Linear(2, 2)]),
        ("filter", TeacherCorrect()),
        ("seed", 1),
        ("teacher", nn.Linear(2, 2)),
        ("validation", Samples.of(torch.zeros(3, 2))),
        ("samples", Samples.of((torch.zeros(5, 2), torch.zeros(5)))),
    ],
)
def test_whatever_changes_the_result_changes_them_and_nothing_else(name, value):
    before, now = told(), told(**{"modules" if name == "student" else name: value})
    assert {k for k in before if before[k] != now[k]} == {name}


class Noisy(torch.utils.data.Dataset):
    """Rows that are drawn anew each time."""

    def __len__(self):
        return 5

    def __getitem__(self, i):
        return torch.randn(2), 0


@pytest.mark.parametrize("name", ["views", "augment_seed"])
def test_augmentation_counts_where_rows_are_augmented_and_nowhere_else(name):
    noisy = Samples.of(Noisy())
    before, now = told(samples=noisy), told(samples=noisy, **{name: 2})
    assert {k for k in before if before[k] != now[k]} == {name}
    assert told(**{name: 2}) == told()


def test_what_changes_no_result_is_not_among_them():
    free = Training(optimizer=optimizer, log_every=3, checkpoint_every=7, device="cpu")
    assert told(training=free) == told()
    assert told(training=Training(optimizer=optimizer, lr=2.0))["lr"] == 2.0
