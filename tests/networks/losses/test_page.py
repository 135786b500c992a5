"""What docs/objectives.md promises is tried."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from limbeck import networks
from limbeck.core.task import Task
from limbeck.modules.batch import Step
from limbeck.networks.losses.loss import Objective

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "objectives.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
ROWS = re.findall(r"^\| (\d) \| `(\w+)", PAGE, re.MULTILINE)


def test_every_term_is_on_the_page_at_its_level() -> None:
    places = {n: m.removeprefix("networks.losses.") for n, m in networks._MODULES.items()}
    names = [
        n for n, m in places.items() if "." not in m and m not in ("loss", "schedules", "filters")
    ]
    assert {name: int(level) for level, name in ROWS} == {
        n: getattr(networks, n).level for n in names
    }


@pytest.mark.parametrize("block", BLOCKS)
def test_every_example_gives_a_loss(
    block: str, step: Callable[..., Step], draw: Callable[..., Tensor]
) -> None:
    room: dict = {}
    exec("\n".join(BLOCKS[: BLOCKS.index(block) + 1]), room)
    objective = room["objective"]
    assert isinstance(objective, Objective)
    objective.check(Task.of("classification", 3))
    student, labels = draw(8, 3).requires_grad_(), torch.arange(8) % 3
    layers = {"encoder.5": (draw(8, 4), draw(8, 6))}
    now = step(student, draw(8, 3), labels, layers=layers)
    now.student.layers["encoder.2"] = draw(8, 4)  # type: ignore[index]
    if "filter" in block:
        now.weight = room["filter"](now)
    total = objective.total(objective.losses(now, objective.maps(now)), 0.5)
    total.backward()
    assert total > 0
    assert student.grad is not None
    assert student.grad.any()
