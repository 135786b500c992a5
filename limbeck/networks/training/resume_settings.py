"""What must be the same for an interrupted training to go on, by name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from torch import nn

from limbeck.modules.batch import Goal
from limbeck.modules.fingerprint import fingerprint
from limbeck.networks.cache.cache_file import CacheFile
from limbeck.networks.datasets.data import Samples
from limbeck.networks.losses.filters import Filter
from limbeck.networks.losses.loss import Objective
from limbeck.networks.training.settings import Training

if TYPE_CHECKING:
    from limbeck.networks.cache.teacher_cache import TeacherCache

__all__ = ["settings_of"]

_FREE = (  # settings that change no result
    "log_every", "checkpoint_every", "device", "num_workers", "callbacks", "metrics",
)  # fmt: skip


def settings_of(
    training: Training,
    objective: Objective,
    goal: Goal,
    samples: Samples,
    teacher: nn.Module | TeacherCache | None,
    filter: Filter | None,  # noqa: A002
    validation: Samples | None,
    views: int | None,
    seed: int,
    augment_seed: int,
    modules: Sequence[nn.Module],
) -> dict[str, Any]:
    """Everything that the result depends on, as numbers and text."""
    out: dict[str, Any] = {
        f.name: _told(getattr(training, f.name)) for f in fields(training) if f.name not in _FREE
    }
    drawn = samples.random  # otherwise neither views nor their seed change anything
    parts = [f"{_told(p.weight)} * {_told(p.term)}" for p in objective.parts]
    return out | {
        "objective": " + ".join(parts) + (" balanced" if objective.balanced else ""),
        "goal": f"{goal.kind} of {goal.outputs}",
        "seed": seed,
        "views": views if drawn else None,
        "augment_seed": augment_seed if drawn else None,
        "filter": _told(filter),
        "samples": samples.fingerprint(),
        "drop_last": samples.drop_last,
        "validation": None if validation is None else validation.fingerprint(),
        "teacher": _taught_by(teacher),
        "student": [fingerprint(m) for m in modules],
    }


def _taught_by(teacher: nn.Module | TeacherCache | None) -> str | None:
    if isinstance(teacher, nn.Module):
        return fingerprint(teacher)
    if teacher is None:
        return None
    file = CacheFile.open(teacher.folder)
    assert file is not None  # noqa: S101  (checked before)
    return f"stored outputs {sorted((k, str(v)) for k, v in file.head.items())}"


def _told(value: Any) -> Any:
    """A setting as text that is the same in the next process: no addresses."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))
