"""A part of the training rows chooses the epoch where no validation rows are given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import limbeck
from limbeck.api.prepare.early_stopping import validation_part, validation_share
from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task
from limbeck.networks import SoftTargets, TeacherCache
from limbeck.networks.datasets.data import Samples
from limbeck.networks.training.settings import Training

TASK = Task.of("classification", 2)


def numbered(n: int, labels: bool = True) -> Samples:
    x = torch.arange(float(n))[:, None]
    return Samples.of((x, torch.arange(n) % 2) if labels else x).aimed(TASK)


def values(rows: Samples) -> list[float]:
    found: Tensor = rows.fetch(range(len(rows))).inputs
    return found[:, 0].tolist()


def part(rows: Samples, share: float = 0.1, seed: int = 0, **given: Any) -> Any:
    return validation_part(rows, share, seed, **{"asked": False, **given})


def test_a_share_is_taken_where_the_length_of_training_is_open() -> None:
    rows = object()
    assert validation_share(None, Training()) == 0.1
    assert validation_share(None, Training(epochs=3)) == 0
    assert validation_share(None, Training(max_steps=30)) == 0
    assert validation_share(None, Training(epochs=3, patience=2)) == 0.1
    assert validation_share(0.25, Training(epochs=3)) == 0.25
    assert validation_share(0, Training()) == 0
    assert validation_share(False, Training()) == 0
    assert validation_share(rows, Training()) == 0
    for bad in (1.0, -0.1, 2, float("nan")):
        with pytest.raises(InvalidInput, match="validation is"):
            validation_share(bad, Training())


def test_the_part_and_the_rest_are_all_rows_and_depend_on_the_seed_only() -> None:
    rows, chosen, (note,) = part(numbered(300))
    assert len(chosen) == 30
    assert sorted(values(rows) + values(chosen)) == list(map(float, range(300)))
    assert values(part(numbered(300))[1]) == values(chosen)
    assert values(part(numbered(300), seed=1)[1]) != values(chosen)
    assert "30 of 300 training rows" in note
    assert "validation=0" in note


def test_rows_of_a_case_and_copies_stay_together() -> None:
    rows = numbered(400)
    rows.cases = np.arange(400) // 4
    left, chosen, _ = part(rows)
    assert len(chosen) == 40
    assert not {v // 4 for v in values(left)} & {v // 4 for v in values(chosen)}
    copies = numbered(400)
    hashes = (np.arange(400) % 200).astype(np.uint64)
    left, chosen, _ = part(copies, hashes=hashes)
    assert len(chosen) == 40
    assert not {v % 200 for v in values(left)} & {v % 200 for v in values(chosen)}


def test_of_many_rows_at_most_two_thousand_are_taken_unless_asked() -> None:
    many = numbered(30_000)
    assert len(part(many)[1]) == 2000
    assert len(part(many, asked=True)[1]) == 3000


def test_rows_that_cannot_be_spared_are_left_for_training(tmp_path: Path) -> None:
    def kept(rows: Samples, why: str, **given: Any) -> None:
        left, chosen, (note,) = part(rows, **given)
        assert (left, chosen) == (rows, None)
        assert why in note
        with pytest.raises(InvalidInput, match=why):
            part(rows, asked=True, **given)

    few, plain, bare = numbered(80), numbered(200), numbered(200, labels=False)
    kept(few, "8 rows of 80 rows are too few")
    empty = TeacherCache(tmp_path)
    assert len(part(plain, cache=empty)[1]) == 20
    kept(bare, "no labels", cache=empty)
    kept(plain, "holds answers to all", cache=empty.fill(nn.Linear(1, 2), plain))


def table(n: int, seed: int) -> tuple[Tensor, Tensor]:
    x = torch.randn(n, 4, generator=torch.Generator().manual_seed(seed))
    return x, (x[:, 0] > 0).long()


def tried(**given: Any) -> Any:
    torch.manual_seed(0)
    return limbeck.distill(
        nn.Linear(4, 2), table(150, 0), into=lambda: nn.Linear(4, 2), objective=SoftTargets(),
        test=table(60, 1), **{"baseline": False, "timing": False, **given},
    )  # fmt: skip


def test_a_run_without_epochs_makes_thousands_of_updates_and_restores_the_best(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("limbeck.networks.training.settings.UPDATES", 40)
    monkeypatch.setattr("limbeck.networks.training.settings._PATIENCE", 20)
    found = tried(batch_size=32)
    settings = found.settings["training"]
    assert (settings["epochs"], settings["patience"]) == (10, 10)  # of 4 updates
    assert found.settings["rows"] == 135
    assert found.certificate.n == 60
    assert any("15 of 150 training rows were set aside" in n for n in found.notes)
    for role in ("student", "control"):
        assert all(r["score"] is not None for r in found.history if r["role"] == role)


def test_given_epochs_train_on_all_rows_to_the_end() -> None:
    found = tried(epochs=2)
    assert found.settings["rows"] == 150
    assert all(r["score"] is None for r in found.history)
    assert not any("set aside" in n for n in found.notes)
    stopped = tried(epochs=30, patience=2, lr=0.0)  # nothing gets better
    assert stopped.settings["rows"] == 135
    assert len([r for r in stopped.history if r["role"] == "student"]) == 3
    with pytest.raises(InvalidInput, match="patience is 2"):
        tried(epochs=3, patience=2, validation=0)
