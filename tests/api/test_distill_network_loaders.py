"""What a DataLoader says is done: batch size, drop_last, workers, collation."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, TensorDataset, default_collate

import limbeck
from limbeck.core.errors import InvalidInput
from limbeck.networks import GoldLabels
from tests.api.test_distill_network import Truth, rows, small

TEST = rows(60, 1)


def distilled(data: Any, **more: Any) -> Any:
    torch.manual_seed(0)
    given: dict[str, Any] = {"epochs": 2, "test": TEST, "baseline": False, "timing": False}
    return limbeck.distill(Truth(), data, into=small(), **(given | more))


def weights(module: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in module.parameters()])


def test_the_batch_size_of_a_loader_is_that_of_the_training() -> None:
    loader = DataLoader(TensorDataset(*rows(200, 0)), batch_size=50, shuffle=True)
    found = distilled(loader)
    assert found.settings["training"]["batch_size"] == 50
    assert any("50 rows, as the DataLoader's" in n for n in found.notes)
    assert not any("does not shuffle" in n for n in found.notes)
    assert found.history[-1]["step"] == 8
    assert torch.equal(
        weights(found.student), weights(distilled(rows(200, 0), batch_size=50).student)
    )
    assert distilled(loader, batch_size=100).settings["training"]["batch_size"] == 100
    plain = DataLoader(TensorDataset(*rows(200, 0)), batch_size=50)
    assert any("does not shuffle" in n for n in distilled(plain).notes)


def test_a_last_batch_is_dropped_where_the_loader_drops_it() -> None:
    data = TensorDataset(*rows(190, 0))
    steps = [
        distilled(DataLoader(data, batch_size=50, drop_last=drop)).history[-1]["step"]
        for drop in (False, True)
    ]
    assert steps == [8, 6]
    with pytest.raises(InvalidInput, match="drop_last"):
        distilled(DataLoader(data, batch_size=400, drop_last=True))


class Pictures(Dataset[Any]):
    """Items that say which process loaded them."""

    def __init__(self) -> None:
        self.rows = rows(80, 0)

    def __len__(self) -> int:
        return 80

    def __getitem__(self, i: int) -> Any:
        worker = torch.utils.data.get_worker_info()
        return self.rows[0][i], self.rows[1][i], -1 if worker is None else worker.id


SEEN: list[int] = []


def collated(items: list[Any]) -> Any:
    x, y, worker = default_collate(items)
    SEEN.extend(worker.tolist())
    return x, y


def test_workers_and_collation() -> None:
    loader = DataLoader(Pictures(), batch_size=40, num_workers=2, collate_fn=collated)
    there = distilled(loader, epochs=1)
    seen = len(SEEN)
    SEEN.clear()
    here = distilled(loader, epochs=1, num_workers=0)
    assert set(SEEN) == {-1}
    assert len(SEEN) > seen  # without workers all is loaded here
    assert torch.equal(weights(here.student), weights(there.student))


def test_a_limit_of_updates_holds_for_student_and_control() -> None:
    found = distilled(rows(200, 0), epochs=None, max_steps=9, batch_size=50, ema=0.9)
    last = [row for row in found.history if row["step"] == 9]
    assert {row["role"] for row in last} == {"student", "control"}
    assert all(row["step"] <= 9 for row in found.history)


def test_parts_matter_of_networks_of_several_tensors() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = small()

        def forward(self, x: Tensor) -> Any:
            z = self.body(x)
            return z, -z

    given: dict[str, Any] = {
        "objective": 0.5 * GoldLabels() + 0.5 * GoldLabels(label_smoothing=0.1), "epochs": 2,
    }  # fmt: skip
    with pytest.raises(InvalidInput, match="each may be its outputs"):
        limbeck.ablate(Truth(), rows(120, 0), into=Two, seeds=1, **given)
    found = limbeck.ablate(Truth(), rows(120, 0), into=Two, seeds=1, output=1, **given)
    assert len(found.parts) == 2
