"""What the networks say of a few rows before any work."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from limbeck.api.prepare.input_checks import (
    check_all_read,
    check_layers,
    looked_at,
    unread_inputs,
)
from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task
from limbeck.networks import HiddenStates
from limbeck.networks.datasets.data import Samples
from limbeck.networks.losses.loss import Objective


class Anything(nn.Module):
    """Takes any name, reads two of them, and refuses negative numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(2, 3)

    def forward(self, **given: Tensor) -> Tensor:
        if (given["x"] < 0).any():
            raise ValueError("x is negative.")
        out: Tensor = self.head(given["x"]) * given["scale"][:, None]
        return out


def rows(low: float = 0.0) -> Samples:
    x = torch.rand(6, 2, generator=torch.Generator().manual_seed(0)) + low
    items = [
        {"x": one, "scale": torch.tensor(1.0 + i), "row": i, "label": i % 3}
        for i, one in enumerate(x)
    ]
    return Samples.of(items)


def test_columns_that_no_network_reads_are_found() -> None:
    """Whether ``forward`` names them, or answers follow them."""

    class Named(Anything):
        def forward(self, x: Tensor, row: Tensor, **given: Tensor) -> Tensor:
            return super().forward(x=x, **given)

    assert unread_inputs(rows(), [Anything()]) == ["row"]
    assert unread_inputs(rows(), [Anything(), Named()]) == []
    plain = Samples.of((torch.rand(6, 2), torch.zeros(6, dtype=torch.int64)))
    assert unread_inputs(plain, [nn.Linear(2, 3)]) == []


def test_rows_that_a_network_cannot_read_are_named() -> None:
    net = Anything()
    inputs = rows().fetch([0, 1]).inputs
    view, _ = looked_at("student", net, inputs)
    torch.testing.assert_close(view.logits, net(**inputs))
    check_all_read(rows(), "test", {"teacher": net, "student": net})
    check_all_read(None, "validation", {"student": net})
    told = "The student 2 Anything raised ValueError on the first test rows: x is negative. Call it"
    with pytest.raises(InvalidInput, match=told):
        check_all_read(rows(-2.0), "test", {"student 2": net})


def test_layers_are_tried_before_the_cache_is_filled() -> None:
    task = Task.of("classification", 3)
    given = Samples.of((torch.rand(6, 2), torch.arange(6) % 3)).aimed(task)
    teacher, student = (nn.Sequential(nn.Linear(2, n), nn.Linear(n, 3)) for n in (5, 4))
    state = torch.get_rng_state()
    check_layers(Objective.of(HiddenStates({"0": "0"})), task, given, teacher, student)
    assert torch.equal(torch.get_rng_state(), state)  # maps drew their weights apart
    for pairs, told in (({"9": "0"}, "'9'"), ({"0": "7"}, "'7'")):
        with pytest.raises(InvalidInput, match=told):
            check_layers(Objective.of(HiddenStates(pairs)), task, given, teacher, student)
    same = Objective.of(HiddenStates({"0": "0"}, learned=False))
    with pytest.raises(InvalidInput, match=r"4.*5|5.*4"):
        check_layers(same, task, given, teacher, student)
