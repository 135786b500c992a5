from __future__ import annotations

import json

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from limbeck.core.errors import FileRefused, InvalidInput  # noqa: E402
from limbeck.core.task import Task  # noqa: E402
from limbeck.networks import GoldLabels, LinearSchedule, SoftTargets, TeacherCorrect, balanced  # noqa: E402
from limbeck.networks.datasets.data import Samples  # noqa: E402
from limbeck.networks.losses.loss import Objective  # noqa: E402
from limbeck.networks.training.checkpoint import (  # noqa: E402
    NAME,
    cloned,
    read,
    same,
    settings_of,
    write,
)
from limbeck.networks.training.settings import Training  # noqa: E402

pytestmark = pytest.mark.torch


def test_a_state_comes_back_bit_for_bit(tmp_path):
    shared = torch.randn(3, 4)
    state = {
        "weights": {"a": shared, "tied": shared, "view": shared[1], "turned": shared.T},
        "optimizer": {"state": {0: {"step": torch.tensor(3.0)}}, "lr": 0.1 + 0.2},
        "numbers": [1, 2.5, float("inf"), None, True, "text"],
        "half": torch.randn(2).bfloat16(),
        "bytes": torch.get_rng_state(),
        "empty": torch.zeros(0, 3),
    }
    write(tmp_path, state)
    back = read(tmp_path)
    assert list(back["optimizer"]["state"]) == [0]  # a number, not text
    assert back["optimizer"]["lr"] == 0.1 + 0.2
    assert back["numbers"] == state["numbers"]
    for name, tensor in state["weights"].items():
        assert torch.equal(back["weights"][name], tensor)
    for name in ("half", "bytes", "empty"):
        assert torch.equal(back[name], state[name])
        assert back[name].dtype == state[name].dtype


def test_nothing_is_there_or_not_a_checkpoint(tmp_path):
    assert read(tmp_path) is None
    (tmp_path / NAME).write_bytes(b"no tensors here, and no header either")
    with pytest.raises(FileRefused, match="is not a checkpoint"):
        read(tmp_path)


def test_what_it_cannot_hold_is_refused_and_the_older_one_stays(tmp_path):
    write(tmp_path, {"a": 1})
    with pytest.raises(InvalidInput, match="/optimizer/x is a set"):
        write(tmp_path, {"optimizer": {"x": {1, 2}}})
    assert read(tmp_path) == {"a": 1}


def test_a_disk_that_is_full_leaves_the_older_one(tmp_path, monkeypatch):
    write(tmp_path, {"a": torch.ones(2)})

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(FileRefused, match="No space left"):
        write(tmp_path, {"a": torch.zeros(2)})
    assert torch.equal(read(tmp_path)["a"], torch.ones(2))
    assert [p.name for p in tmp_path.iterdir()] == [NAME]


def test_all_that_differs_is_named(tmp_path):
    same({"lr": 1, "b": 2}, {"lr": 1, "b": 2}, tmp_path)
    with pytest.raises(InvalidInput, match=r"lr was 1 and is 3; new was None and is 'x'\."):
        same({"lr": 1, "b": 2}, {"lr": 3, "b": 2, "new": "x"}, tmp_path)


def test_a_clone_is_not_changed_by_updates():
    weight = torch.ones(2)
    kept = cloned({"w": weight})
    weight.add_(1)
    assert torch.equal(kept["w"], torch.ones(2))


def optimizer(parameters):
    return torch.optim.SGD(parameters, lr=0.1)


def told(**changes):
    torch.manual_seed(0)
    x = torch.randn(5, 2)
    given = {
        "training": Training(optimizer=optimizer),
        "objective": Objective.of(LinearSchedule(1, 0) * SoftTargets(temperature=4) + GoldLabels()),
        "task": Task.of("classification", 2),
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
        ("task", Task.of("classification", 3)),
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
