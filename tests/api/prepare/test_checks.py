"""What must be right before a network is trained."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from limbeck.api.prepare.checks import default_objective, named_task, one_teacher
from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task, TaskKind
from limbeck.networks import SoftTargets
from limbeck.networks.datasets.data import Samples
from limbeck.networks.teachers.ensemble import ModuleEnsemble


def samples(n: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(seed)
    return torch.randn(n, 3, generator=g), torch.randint(0, 2, (n,), generator=g)


def test_several_teachers_are_one_ensemble() -> None:
    a, b = nn.Linear(2, 3), nn.Linear(2, 3)
    found = one_teacher([a, b], Task.of("classification", 3))
    assert found is not None
    x = torch.randn(4, 2)
    expected = (a(x).softmax(1) + b(x).softmax(1)) / 2
    torch.testing.assert_close(found(x).softmax(1), expected)
    numbers = one_teacher([a, b], Task.of("regression", 3))
    assert numbers is not None
    torch.testing.assert_close(numbers(x), (a(x) + b(x)) / 2)


def test_an_ensemble_of_probabilities_is_refused_for_numbers() -> None:
    given = ModuleEnsemble([nn.Linear(2, 3), nn.Linear(2, 3)])
    assert one_teacher(given, Task.of("classification", 3)) is given
    for kind in (TaskKind.REGRESSION, TaskKind.MULTILABEL):
        with pytest.raises(InvalidInput, match="combines probabilities of classes"):
            one_teacher(given, Task.of(kind, 3))


def test_the_default_objective_fits_the_goal() -> None:
    x, y = samples(20, 0)
    tutor = nn.Linear(3, 2)
    classes = default_objective(Task.of("classification", 2), Samples.of((x, y)), tutor)
    assert [(n, p.weight) for n, p in zip(classes.names, classes.parts, strict=True)] == [
        ("SoftTargets", 0.9),
        ("GoldLabels", pytest.approx(0.1)),
    ]
    assert classes.parts[0].term == SoftTargets(temperature=4)
    alone = default_objective(Task.of("classification", 2), Samples.of(x), tutor)
    assert alone.names == ("SoftTargets",)
    numbers = default_objective(Task.of("regression", 1), Samples.of((x, y.float())), tutor)
    assert [p.weight for p in numbers.parts] == [0.5, 0.5]
    assert numbers.names == ("Logits", "GoldLabels")
    with pytest.raises(InvalidInput, match="neither a teacher nor an objective"):
        default_objective(Task.of("classification", 2), Samples.of((x, y)), None)


def test_classes_take_the_names_of_a_configuration() -> None:
    net = nn.Linear(1, 2)
    net.config = type("Config", (), {"id2label": {1: "bad", 0: "good"}})()
    task = Task.of("classification", 2)
    assert named_task(task, None, "", net, None).classes == ("good", "bad")
    assert named_task(task, None, "", None, None).classes == (0, 1)
    assert named_task(Task.of("regression", 1), None, "mm", None).unit == "mm"
    vocabulary = named_task(Task.of("tokens", 50), None, "", net)  # masked words: other outputs
    assert vocabulary.classes == tuple(range(50))
