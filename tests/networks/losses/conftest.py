"""One batch, as objectives see it, from tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from limbeck.core.task import Task, TaskKind
from limbeck.modules.batch import Step, View


@pytest.fixture
def step() -> Callable[..., Step]:
    """``step(student, teacher, labels, kind, layers={teacher's: (student's, teacher's)})``."""

    def make(
        student: Tensor,
        teacher: Tensor | None = None,
        labels: Tensor | None = None,
        kind: TaskKind = TaskKind.CLASSIFICATION,
        *,
        layers: dict[str, tuple[Tensor, Tensor]] | None = None,
        **more: Any,
    ) -> Step:
        layers = layers or {}
        views = [{n: pair[i] for n, pair in layers.items()} for i in (0, 1)]
        return Step(
            inputs=None,
            labels=labels,
            student=View(student, views[0]),
            teacher=None if teacher is None else View(teacher, views[1]),
            task=Task.of(kind, student.shape[-1]),
            **more,
        )

    return make


@pytest.fixture
def draw() -> Callable[..., Tensor]:
    """Standard normal numbers in float64, the same in every run."""
    generator = torch.Generator().manual_seed(3)

    def numbers(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    return numbers
