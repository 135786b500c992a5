"""What must be right before a network is trained."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from limbeck.errors import InvalidInput
from limbeck.networks.data import Samples
from limbeck.networks.training import Training
from limbeck.networks.views import Goal, Kind
from limbeck.preparing import default_objective, fresh_rows, one_teacher, task_of, two_sides


def samples(n: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(seed)
    return torch.randn(n, 3, generator=g), torch.randint(0, 2, (n,), generator=g)


def test_copies_of_training_rows_are_left_out_of_rows_set_aside() -> None:
    x, y = samples(80, 0)
    z, w = samples(30, 1)
    rows, aside = Samples.of((x, y)), Samples.of((torch.cat([z, x[:5]]), torch.cat([w, y[:5]])))
    layout, seen, kept, notes = fresh_rows(rows, aside, False, Training())
    assert len(kept) == 30
    torch.testing.assert_close(kept.fetch(range(30)).inputs, z)
    assert seen is not None
    assert len(seen) == 80
    assert notes == ["5 test rows were left out: training rows repeat them."]
    assert layout.rows([z.numpy()]).shape == (30, 3)
    with pytest.raises(InvalidInput, match="5 of the 35 test rows are among"):
        fresh_rows(rows, aside, True, Training())


def test_two_sides_share_nothing_and_follow_the_seed() -> None:
    data = torch.arange(100.0)[:, None]
    sides = [two_sides(data, None, None, 0.3, seed, Training()) for seed in (0, 0, 1)]
    found = [s.fetch(range(len(s))).inputs[:, 0].tolist() for pair in sides for s in pair]
    assert sorted(found[0] + found[1]) == list(range(100))
    assert len(found[1]) == 30
    assert found[1] == found[3]
    assert found[1] != found[5]


def test_several_teachers_are_one_ensemble() -> None:
    a, b = nn.Linear(2, 3), nn.Linear(2, 3)
    found = one_teacher([a, b])
    assert found is not None
    x = torch.randn(4, 2)
    expected = (a(x).softmax(1) + b(x).softmax(1)) / 2
    torch.testing.assert_close(found(x).softmax(1), expected)


def test_the_default_objective_fits_the_goal() -> None:
    x, y = samples(20, 0)
    tutor = nn.Linear(3, 2)
    classes = default_objective(Goal(Kind.CLASSES, 2), Samples.of((x, y)), tutor)
    assert [(n, p.weight) for n, p in zip(classes.names, classes.parts, strict=True)] == [
        ("SoftTargets", 0.9),
        ("GoldLabels", pytest.approx(0.1)),
    ]
    alone = default_objective(Goal(Kind.CLASSES, 2), Samples.of(x), tutor)
    assert alone.names == ("SoftTargets",)
    numbers = default_objective(Goal(Kind.VALUES, 1), Samples.of((x, y.float())), tutor)
    assert numbers.names == ("Logits", "GoldLabels")
    with pytest.raises(InvalidInput, match="neither a teacher nor an objective"):
        default_objective(Goal(Kind.CLASSES, 2), Samples.of((x, y)), None)


def test_classes_take_the_names_of_a_configuration() -> None:
    net = nn.Linear(1, 2)
    net.config = type("Config", (), {"id2label": {1: "bad", 0: "good"}})()
    goal = Goal(Kind.CLASSES, 2)
    assert task_of(goal, None, "", net, None).classes == ("good", "bad")
    assert task_of(goal, None, "", None, None).classes == (0, 1)
    assert task_of(Goal(Kind.VALUES, 1), None, "mm", None).unit == "mm"
