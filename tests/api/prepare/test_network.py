"""All that a distillation of networks works with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from limbeck.api.prepare.network import Prepared, understand
from limbeck.api.prepare.request import NetworkRequest, read, split
from limbeck.core.task import TaskKind
from limbeck.networks import GoldLabels, SoftTargets, TeacherCache


def made(teacher: Any, y: Any, **changes: Any) -> Prepared:
    x = torch.randn(60, 3, generator=torch.Generator().manual_seed(0))
    request = NetworkRequest(teacher, x, y, lambda: nn.Linear(3, 2), holdout=0.5, **changes)
    data = read(request)
    return understand(request, data, split(request, data))


@pytest.mark.parametrize(
    ("labels", "objective", "comparable"),
    [(True, None, True), (False, None, False), (True, GoldLabels(), False),
     (True, SoftTargets(), True)],
)  # fmt: skip
def test_a_control_needs_labels_and_another_objective(
    labels: bool, objective: Any, comparable: bool
) -> None:
    y = torch.arange(60) % 2 if labels else None
    found = made(nn.Linear(3, 2), y, objective=objective)
    assert found.comparable is comparable
    assert (len(found.rows), len(found.test)) == (30, 30)
    assert found.seen is not None
    assert len(found.seen) == 30


def test_several_teachers_are_combined_as_the_goal_asks() -> None:
    teachers = [nn.Linear(3, 2), nn.Linear(3, 2)]
    y = torch.arange(60) % 2
    assert made(teachers, y).teacher.combine == "probabilities"  # type: ignore[union-attr]
    numbers = made(teachers, torch.randn(60, 2))
    assert numbers.task.kind is TaskKind.REGRESSION
    assert numbers.teacher.combine == "logits"  # type: ignore[union-attr]


def test_what_a_start_copied_is_noted_and_the_cache_waits(tmp_path: Path) -> None:
    found = made(nn.Linear(3, 2), torch.arange(60) % 2, start="every second", cache=True,
                 folder=tmp_path)  # fmt: skip
    assert found.notes[0] == "100.0% of the student's parameters come from the teacher."
    assert isinstance(found.cache, TeacherCache)
    assert found.cache.folder == tmp_path / "teacher_cache"
    assert not list(tmp_path.iterdir())
