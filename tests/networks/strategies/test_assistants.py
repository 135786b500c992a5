from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")
import torch
from torch import nn

from limbeck.core.progress import quiet
from limbeck.core.task import Task
from limbeck.networks import SoftTargets
from limbeck.networks.datasets.data import Samples
from limbeck.networks.losses.loss import Objective
from limbeck.networks.strategies.assistants import taught_by_assistants
from limbeck.networks.strategies.train_network import TrainNetwork
from limbeck.networks.training.settings import Training

TASK = Task.of("classification", 2)
X = torch.randn(16, 3, generator=torch.Generator().manual_seed(0))


def sure(sign: float) -> nn.Linear:
    """A teacher that tells the sign of the first column, or the opposite."""
    made = nn.Linear(3, 2, bias=False)
    made.weight.data = torch.tensor([[-9.0 * sign, 0, 0], [9.0 * sign, 0, 0]])
    return made


def method(teacher: nn.Module) -> TrainNetwork:
    return TrainNetwork(
        makers=[lambda: nn.Linear(3, 2)], start=None, teacher=teacher, source=teacher,
        rows=Samples.of((X, torch.zeros(16, dtype=torch.int64))).aimed(TASK), validation=None,
        task=TASK, objective=Objective.of(SoftTargets()),
        training=Training(epochs=4, batch_size=8, lr=0.3), mode=None, filter=None,
    )  # fmt: skip


def agreement(network: nn.Module, teacher: nn.Module) -> float:
    with torch.no_grad():
        return float((network(X).argmax(1) == teacher(X).argmax(1)).float().mean())


def test_each_is_taught_by_the_one_before_and_the_last_teaches_the_student(tmp_path: Path) -> None:
    teacher, early = sure(1.0), sure(-1.0)
    makers = [lambda: nn.Linear(3, 2), lambda: nn.Sequential(nn.Linear(3, 2))]
    made, between = taught_by_assistants(method(teacher), makers, early, 0, tmp_path, quiet)
    assert [type(t.module) for t in between] == [nn.Linear, nn.Sequential]
    assert made.source is between[-1].module
    assert not made.source.training
    assert made.teacher is teacher
    for one in between:  # an early teacher who says the opposite is heard all the way
        assert agreement(one.module, early) > 0.8
    assert sorted(p.name for p in tmp_path.iterdir()) == ["assistant-1", "assistant-2"]


def test_without_assistants_the_early_teacher_or_the_teacher_is_asked() -> None:
    given, early = method(sure(1.0)), sure(-1.0)
    assert taught_by_assistants(given, [], early, 0, None, quiet)[0].source is early
    same, none = taught_by_assistants(given, [], None, 0, None, quiet)
    assert (same.source, none) == (given.source, [])
