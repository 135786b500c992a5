"""Splits of the samples of networks by copies and by cases."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import Subset, TensorDataset

import limbeck
from limbeck.api.prepare.leakage import fresh_rows
from limbeck.api.prepare.splits import for_rows, two_sides
from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task
from limbeck.networks import RowWeights, SoftTargets, TeacherConfident
from limbeck.networks.datasets.data import Samples
from limbeck.networks.training.settings import Training


def samples(n: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(seed)
    return torch.randn(n, 3, generator=g), torch.randint(0, 2, (n,), generator=g)


def test_without_copies_and_cases_the_split_is_that_of_a_permutation() -> None:
    x, y = samples(60, 0)
    order = torch.randperm(60, generator=torch.Generator().manual_seed(5))
    rows, aside, _ = two_sides((x, y), None, None, 0.3, 5, Training())
    torch.testing.assert_close(aside.fetch(range(18)).inputs, x[order[:18].sort().values])
    torch.testing.assert_close(rows.fetch(range(42)).inputs, x[order[18:].sort().values])


def test_cases_stay_whole() -> None:
    x, y = samples(200, 0)
    case = np.arange(200) // 4
    for data, cases in (((x, y), case), ({"x": x, "label": y, "patient": case}, "patient")):
        labels = None
        rows, aside, _ = two_sides(data, labels, None, 0.3, 0, Training(), cases=cases)
        assert (len(rows), len(aside)) == (140, 60)
        assert aside.cases is not None
        assert rows.cases is not None
        assert len(np.unique(aside.cases)) == 15
        assert not set(aside.cases) & set(rows.cases)
        _, seen, kept, _ = fresh_rows(rows, aside, False, Training())
        assert seen is not None
        assert seen.shape == (140, 2)
        np.testing.assert_array_equal(kept.cases, aside.cases)  # type: ignore[arg-type]
        inputs = aside.fetch([0]).inputs
        assert not isinstance(inputs, dict) or set(inputs) == {"x"}
    rows, aside, _ = two_sides((x, y), None, samples(40, 1), 0.3, 0, Training(), cases=case[:40])
    assert rows.cases is None
    assert aside.cases is not None
    first = {"x": x[:100], "label": y[:100], "patient": case[:100]}
    second = {"x": samples(40, 1)[0], "label": y[:40], "patient": case[90:130]}
    with pytest.raises(InvalidInput, match="3 cases of the holdout rows are cases of training"):
        two_sides(first, None, second, 0.3, 0, Training(), cases="patient")
    with pytest.raises(InvalidInput, match="no column of that name"):
        two_sides((x, y), None, None, 0.3, 0, Training(), cases="patient")
    with pytest.raises(InvalidInput, match="9 of 30 cases would be set aside"):
        two_sides((x, y), None, None, 0.3, 0, Training(), cases=np.arange(200) % 30)


@pytest.mark.parametrize("given", ["arrays", "samples", "part"])
def test_weights_of_rows_follow_them_to_their_side(given: str) -> None:
    x = torch.arange(200.0)[:, None]
    data: Any = (x, torch.arange(200) % 2)
    if given == "samples":
        data = Samples.of(data).subset(torch.arange(199, -1, -1))
    if given == "part":
        data = Subset(TensorDataset(*data), list(range(199, -1, -1)))
    whole = Samples.of(data)
    order = x[:, 0] if given == "arrays" else 199 - x[:, 0]  # the place of the row that holds x
    weights = 1 + torch.arange(200.0)
    rows, *_ = two_sides(data, None, None, 0.3, 0, Training())
    task = Task.of("classification", 2)
    found = for_rows(RowWeights(weights) & TeacherConfident(0.5), rows, whole, task)
    kept = rows.fetch(range(len(rows))).inputs[:, 0].long()
    assert found.a.weights.tolist() == (1 + order[kept]).tolist()
    assert found.b == TeacherConfident(0.5)
    assert for_rows(TeacherConfident(0.5), rows, whole, task) == TeacherConfident(0.5)
    with pytest.raises(InvalidInput, match="There are 140 weights and 200 samples"):
        for_rows(RowWeights(weights[:140]), rows, whole, task)


def test_rows_without_weight_do_not_count_though_test_and_validation_are_set_aside() -> None:
    """Labels are noise where the weight is 0: the teacher is heard on the others alone."""
    x = torch.randn(300, 4, generator=torch.Generator().manual_seed(0))
    y = (x[:, 0] > 0).long()
    torch.manual_seed(0)
    wrong = torch.arange(300) % 3 == 0
    x[wrong, 1] = 30.0  # where the teacher's answer is the other one

    class Teacher(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            turned = torch.where(x[:, 1] > 25, -1.0, 1.0)
            return torch.stack([-x[:, 0] * turned, x[:, 0] * turned], 1) * 5

    def right(weights: torch.Tensor) -> float:
        found = limbeck.distill(
            Teacher(), (x, y), into=lambda: nn.Linear(4, 2), objective=SoftTargets(), epochs=30,
            filter=RowWeights(weights.float()), validation=0.2, timing=False, lr=0.05,
            control=False, baseline=False,
        )  # fmt: skip
        with torch.no_grad():
            return float((found.student(x).argmax(1) == y)[~wrong].float().mean())

    assert right(~wrong) > 0.9
    assert right(wrong) < 0.5


def test_what_copies_are_is_judged_before_the_split() -> None:
    ids = torch.randint(0, 50, (200, 6), generator=torch.Generator().manual_seed(0))
    again = torch.cat([ids, ids[:6].repeat_interleave(30, dim=0)])  # a few texts, 31 times each
    assert two_sides((ids, ids[:, 0]), None, None, 0.3, 0, Training())[2] == "auto"
    with pytest.raises(InvalidInput, match="180 of 380 rows are identical to another one"):
        two_sides((again, again[:, 0]), None, None, 0.3, 0, Training())
    told = {"duplicates": "drop"}
    rows, aside, rule = two_sides((again, again[:, 0]), None, None, 0.3, 0, Training(), **told)
    assert rule == "drop"
    sides = (side.fetch(range(len(side))).inputs for side in (rows, aside))
    kept = [{tuple(row) for row in side.tolist()} for side in sides]
    assert not kept[0] & kept[1]
    assert two_sides((again, again[:, 0]), None, (ids, ids[:, 0]), 0.3, 0, Training())[2] == "auto"
