from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.networks.training.settings import Training  # noqa: E402

pytestmark = pytest.mark.torch


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0),
        ("batch_size", -3),
        ("optimizer", "adan"),
        ("schedule", "cos"),
        ("precision", "fp8"),
        ("strategy", "deepspeed"),
        ("lr", float("nan")),
        ("max_grad_norm", -1.0),
        ("warmup_ratio", 1.0),
        ("patience", 0),
        ("gradient_accumulation_steps", 3),
    ],
)
def test_a_value_without_meaning_is_refused_by_name(name, value):
    with pytest.raises(InvalidInput, match=name) as error:
        Training(**{name: value})
    assert str(value) in str(error.value)


def test_schedules_against_values_by_hand():
    cosine = Training(schedule="cosine")
    assert cosine.factor(0, 10) == 1.0
    assert math.isclose(cosine.factor(5, 10), 0.5)
    assert math.isclose(Training(schedule="linear").factor(3, 10), 0.7)
    assert Training(schedule="constant").factor(9, 10) == 1.0
    own = Training(schedule=lambda done: 1 - done**2)
    assert math.isclose(own.factor(5, 10), 0.75)


def test_the_cosine_is_that_of_torch():
    weight = nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    peer = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=20)
    for step in range(20):
        assert math.isclose(Training().factor(step, 20), peer.get_last_lr()[0], abs_tol=1e-12)
        optimizer.step()
        peer.step()


def test_warmup_rises_in_equal_steps_and_then_the_schedule_starts():
    training = Training(schedule="linear", warmup_ratio=0.4)
    got = [training.factor(step, 10) for step in range(10)]
    assert got[:4] == [0.25, 0.5, 0.75, 1.0]
    assert got[4] == 1.0
    assert math.isclose(got[9], 1 / 6)


def test_named_optimizers_are_those_of_torch():
    student, maps = nn.Linear(2, 1), nn.ModuleDict()
    given = student, [list(student.parameters())], maps
    sgd = Training(optimizer="sgd", lr=0.1, momentum=0.8, weight_decay=0.3).optimizer_of(*given)
    assert isinstance(sgd, torch.optim.SGD)
    group = sgd.param_groups[0]
    assert (group["lr"], group["momentum"], group["weight_decay"]) == (0.1, 0.8, 0.3)
    assert isinstance(Training().optimizer_of(*given), torch.optim.AdamW)
    own = Training(optimizer=lambda p: torch.optim.RMSprop(p, lr=0.5)).optimizer_of(*given)
    assert isinstance(own, torch.optim.RMSprop)


@pytest.mark.parametrize(
    ("rows", "epochs", "patience"),
    [(1280, 300, 100), (100, 3000, 1000), (128 * 400, 10, 10), (128 * 200, 15, 10)],
)
def test_default_epochs_are_enough_updates(rows, epochs, patience):
    """3,000 updates in all and 1,000 without a better score, never fewer than 10 epochs."""
    open_ended = Training()
    found = open_ended.settled(rows, validated=True)
    assert (found.epochs, found.patience) == (epochs, patience)
    assert open_ended.settled(rows, validated=False).patience is None
    assert Training(patience=3).settled(rows, validated=True).patience == 3
    fixed = Training(epochs=2)
    found = fixed.settled(rows, validated=True)
    assert (found.epochs, found.patience, found.lr) == (2, None, 1e-3)
    limited = Training(max_steps=30).settled(rows, validated=True)
    assert limited.epochs == math.ceil(30 / (rows // 128 or 1))


@pytest.mark.parametrize(
    ("epochs", "max_steps", "parts", "sizes"),
    [(3, None, 2, [15, 15]), (1, None, 3, [3, 3, 4]), (4, 7, 2, [3, 4])],
)
def test_updates_are_divided_among_trainings(epochs, max_steps, parts, sizes):
    settings = Training(epochs=epochs, batch_size=10, max_steps=max_steps)
    assert [s.max_steps for s in settings.divided(95, parts)] == sizes


def test_more_trainings_than_updates_are_refused():
    with pytest.raises(InvalidInput, match="1 updates cannot be divided among 2"):
        Training(epochs=1, batch_size=100).divided(95, 2)
